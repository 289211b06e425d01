// Entry of the summary: the clock goes on running here, and at its end the server is asked what now.

import "./page.js";
import * as clock from "./clock.js";
import { claim } from "./lease.js";

claim();
clock.begin({ over: clock.ask, moreTime() {} });
