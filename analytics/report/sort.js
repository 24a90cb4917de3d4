// Optional: sorts the campaigns. Without scripts the newest are first.
for (const head of document.querySelectorAll(".campaigns thead th")) {
  const button = document.createElement("button");
  button.append(...head.childNodes);
  head.append(button);
  button.addEventListener("click", () => {
    const way = head.ariaSort === "descending" ? 1 : -1;
    for (const other of head.parentNode.children) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", way > 0 ? "ascending" : "descending");
    const body = head.closest("table").tBodies[0], place = head.cellIndex;
    const key = (row) => row.cells[place].dataset.key ?? row.cells[place].textContent.trim();
    const compare = (a, b) => isNaN(a) || isNaN(b) ? a.localeCompare(b) : a - b;
    body.append(...[...body.rows].sort((a, b) => way * compare(key(a), key(b))));
  });
}
