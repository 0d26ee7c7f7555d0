// One page at a time, sortable tables, downloads of figures and data. Without this script all pages are shown.
"use strict";
document.documentElement.classList.add("js");
const pages = [...document.querySelectorAll(".page")];

function show(moved) {
  const aim = document.getElementById(location.hash.slice(1)) || pages[0];
  const page = aim.closest(".page") || pages[0];
  if (choice && aim.dataset.chapter) {
    choice.value = aim.dataset.chapter;
    select(choice.value);
  }
  pages.forEach((other) => other.classList.toggle("shown", other === page));
  reveal(page);
  const tab = page.dataset.tab || page.id;
  document.querySelectorAll("nav[aria-label=pages] a").forEach((link) => {
    if (link.hash === "#" + tab) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  });
  document.title = page.querySelector("h2").textContent + " – " + document.body.dataset.title;
  if (!moved) return;
  if (aim === page) window.scrollTo(0, 0); else aim.scrollIntoView();
  const heading = aim.querySelector("h2, h3") || aim;
  heading.tabIndex = -1;
  heading.focus({ preventScroll: true });
}
// The page holds every table, and the figures of participants, compressed.
async function unpack(text) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
}
const revealed = new Map();
async function load(image) {
  const text = await unpack(image.parentNode.querySelector(".image").textContent);
  image.src = "data:image/svg+xml;charset=utf-8," + encodeURIComponent(text);
}
function reveal(part) {
  const images = [...part.querySelectorAll("img[data-packed]")];
  images.filter((image) => !revealed.has(image)).forEach((image) => revealed.set(image, load(image)));
  return Promise.all(images.map((image) => revealed.get(image)));
}
addEventListener("beforeprint", () => reveal(document));
// A print does not wait for figures: those of up to some dozen participants are unpacked soon after the page is shown.
if (pages.length < 80) addEventListener("load", () => setTimeout(() => reveal(document), 500));

// One target and split at a time; links to one select it.
const choice = document.getElementById("switch");
function select(key) {
  document.querySelectorAll("[data-chapter]").forEach((block) => block.classList.toggle("other", block.dataset.chapter !== key));
}
if (choice) {
  choice.addEventListener("change", () => select(choice.value));
  select(choice.value);
}

addEventListener("hashchange", () => show(true));
show(location.hash !== "");
addEventListener("load", () => { if (location.hash) show(true); }); // after the browser has scrolled to the anchor

document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  document.querySelector(".page.shown h2").focus();
});

// Numbers by size, text by name, missing values last.
function value(row, column) {
  const text = row.cells[column].textContent.trim().replace("−", "-");
  if (text === "" || text === "–") return null;
  return /^[+-]?\d+(\.\d+)?( to .*)?$/.test(text) ? parseFloat(text) : text;
}
function compare(a, b) {
  if (typeof a === "number" && typeof b === "number") return a - b;
  return String(a).localeCompare(String(b), undefined, { numeric: true });
}
function sort(header, column) {
  const down = header.getAttribute("aria-sort") === "ascending";
  const body = header.closest("table").tBodies[0];
  [...header.parentNode.cells].forEach((other) => other.removeAttribute("aria-sort"));
  header.setAttribute("aria-sort", down ? "descending" : "ascending");
  const keyed = [...body.rows].map((row) => [value(row, column), row]);
  const known = keyed.filter(([key]) => key !== null).sort(([a], [b]) => (down ? compare(b, a) : compare(a, b)));
  body.append(...[...known, ...keyed.filter(([key]) => key === null)].map(([, row]) => row));
}
document.querySelectorAll("table thead tr").forEach((row) => {
  [...row.cells].forEach((header, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...header.childNodes);
    header.append(button);
    button.addEventListener("click", () => sort(header, column));
  });
});

// Wide tables can be scrolled by keyboard too.
document.querySelectorAll(".scroll").forEach((box) => { box.tabIndex = 0; });

// Files are created on click.
document.querySelectorAll("figure .files a").forEach((link) => {
  const figure = link.closest("figure");
  link.addEventListener("click", async (event) => {
    if (link.href.startsWith("data:")) return;
    event.preventDefault();
    await reveal(figure);
    link.href = link.download.endsWith(".svg")
      ? figure.querySelector("img").src
      : "data:text/csv;charset=utf-8," + encodeURIComponent(await unpack(figure.querySelector(".data").textContent));
    link.click();
  });
});
