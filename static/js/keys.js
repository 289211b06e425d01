// Keys of the exam page: A to F or 1 to 6 choose, arrows move, M marks. Never while somebody writes, and they can be switched off.

const SWITCH = "keys-off";
const BUTTONS = { ArrowLeft: "prev", ArrowRight: "next", m: "mark" };

document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && event.target.matches("input.answer")) {
    event.preventDefault();
    press("next");
    return;
  }
  if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing || isElsewhere(event.target)) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const button = BUTTONS[key];
  if (button) {
    event.preventDefault();
    if (!event.repeat) press(button);
    return;
  }
  const place = "abcdef".indexOf(key) >= 0 ? "abcdef".indexOf(key) : "123456".indexOf(key);
  const option = key.length === 1 && place >= 0 ? document.querySelectorAll("#answer input[name=choice]")[place] : null;
  if (option && !event.repeat) {
    event.preventDefault();
    option.focus();
    option.click();
  }
});

function isElsewhere(target) {
  const isText = target.matches("textarea, select, input:not([type=radio], [type=checkbox])");
  return isText || document.querySelector("dialog[open], [popover]:popover-open") || sessionStorage.getItem(SWITCH);
}

function press(value) {
  const button = document.querySelector(`.exam__foot [name=go][value=${value}]`);
  if (button && !button.closest("[inert]")) button.click();
}

const control = document.querySelector("[data-keys-switch]");
if (control) {
  control.checked = !sessionStorage.getItem(SWITCH);
  control.addEventListener("change", () => {
    if (control.checked) sessionStorage.removeItem(SWITCH);
    else sessionStorage.setItem(SWITCH, "1");
  });
}
