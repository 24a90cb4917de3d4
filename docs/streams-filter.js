// The filter of the overview of streams. Without it, the table is there as a whole.
(() => {
  const place = document.getElementById("stream-filter");
  if (!place) return;
  const table = place.parentElement.querySelector("table");
  const rows = [...table.tBodies[0].rows];
  const text = (row, column) => row.cells[column].textContent.trim();
  const [SUBJECT, REPLICATION, DEFAULT] = [1, 3, 4];

  const add = (tag, properties, parent = place) =>
    parent.appendChild(Object.assign(document.createElement(tag), properties));
  const choice = (label, all, values) => {
    const select = add("select", { ariaLabel: label, onchange: apply });
    [all, ...values].forEach((value, number) =>
      add("option", { textContent: value, value: number ? value : "" }, select));
    return select;
  };

  const words = add("input", {
    type: "search", ariaLabel: "Filter streams", placeholder: "Filter streams", oninput: apply,
  });
  const subject = choice("Subject", "All subjects", new Set(rows.map((row) => text(row, SUBJECT))));
  const replication = choice("Replication", "All replication", ["incremental", "full table"]);
  const label = add("label", {});
  const defaults = add("input", { type: "checkbox", onchange: apply }, label);
  label.append(" selected by default");
  const count = add("span", { ariaLive: "polite" });

  function apply() {
    const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
    const fits = (row) =>
      wanted.every((word) => row.textContent.toLowerCase().includes(word)) &&
      (!subject.value || text(row, SUBJECT) === subject.value) &&
      text(row, REPLICATION).startsWith(replication.value) &&
      (!defaults.checked || text(row, DEFAULT) === "yes");
    for (const row of rows) row.hidden = !fits(row);
    count.textContent = `${rows.filter((row) => !row.hidden).length} of ${rows.length} streams`;
  }
  apply();
})();
