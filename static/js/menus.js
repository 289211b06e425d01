// Menus of the staff's pages: one is open at a time, Escape and a click elsewhere close it. They open without this.

const MENUS = "details.menu, details.bar__group";
const opened = (within) => within.closest("details.menu[open], details.bar__group[open]");

const closeMenus = (except) => {
  for (const menu of document.querySelectorAll(MENUS)) {
    if (menu.open && menu !== except) menu.open = false;
  }
};

function closeAndReturn(menu) {
  menu.open = false;
  menu.querySelector("summary").focus();
}

document.addEventListener("click", (event) => closeMenus(event.target.closest(MENUS)));

document.addEventListener("keydown", (event) => {
  const menu = event.key === "Escape" && opened(event.target);
  if (menu) closeAndReturn(menu);
});

// whoever goes on with the tab key has left the menu
document.addEventListener("focusout", (event) => {
  const menu = opened(event.target);
  if (menu?.matches(".bar__group") && event.relatedTarget && !menu.contains(event.relatedTarget)) menu.open = false;
});

// what an item of a menu leads to opens over the page: the menu is done, and focus comes back to its button
document.addEventListener("click", (event) => {
  const item = event.target.closest(".menu__item");
  if (item) closeAndReturn(item.closest("details.menu"));
});
