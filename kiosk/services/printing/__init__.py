"""What a centre prints before, during and after a shift: lists, seat plan, admit cards, and the register."""
