// Heads of sortable tables become buttons; without this script the tables stand as they are.
(function () {
  "use strict";
  function key(row, column) {
    var cell = row.cells[column], data = cell.querySelector("data");
    var words = data && data.value !== "" ? data.value : cell.textContent.trim();
    var number = parseFloat(words.replace(/[,%]/g, ""));
    return isNaN(number) ? words : number;
  }
  function compare(a, b, down) {
    var empty = function (x) { return x === "—" || x === ""; };
    if (empty(a) || empty(b)) { return empty(a) - empty(b); }
    var order = typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), "zh-CN");
    return down ? -order : order;
  }
  document.querySelectorAll("table.sortable").forEach(function (table) {
    var heads = Array.prototype.slice.call(table.tHead.rows[0].cells);
    heads.forEach(function (head, column) {
      var button = document.createElement("button");
      button.type = "button";
      button.textContent = head.textContent;
      head.textContent = "";
      head.appendChild(button);
      button.addEventListener("click", function () {
        var down = head.getAttribute("aria-sort") === "ascending";
        heads.forEach(function (other) { other.removeAttribute("aria-sort"); });
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        Array.prototype.slice.call(table.tBodies[0].rows)
          .map(function (row, place) { return { row: row, key: key(row, column), place: place }; })
          .sort(function (a, b) { return compare(a.key, b.key, down) || a.place - b.place; })
          .forEach(function (one) { table.tBodies[0].appendChild(one.row); });
      });
    });
  });
})();
