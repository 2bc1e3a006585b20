// Uses a report as a person does, and writes down what happened, as JSON in the title.
// Runs after the page's own script; `complaints` is filled from the page's first line on.
const found = { complaints, dark: matchMedia("(prefers-color-scheme: dark)").matches };

// Sorting: the first column of the first table, down and up again.
const table = document.querySelector("table");
const column = () => [...table.tBodies[0].rows].map(row => row.cells[0].textContent);
const [number, name] = table.querySelectorAll("th button");
found.order = [column()];
number.click(), found.order.push(column());
number.click(), found.order.push(column());
name.click();
const names = [...table.tBodies[0].rows].map(row => row.cells[1].textContent);
// Bytes in several units.
const cost = [...document.querySelectorAll("table")].find(one => one.tHead.textContent.includes("state"));
const last = [...cost.tHead.rows[0].cells].findIndex(cell => cell.textContent === "state");
cost.querySelectorAll("th button")[last].click();
const bytes = [...cost.tBodies[0].rows].map(row => row.cells[last].textContent);
const size = text => parseFloat(text) * { B: 1, kB: 1e3, MB: 1e6 }[text.split(" ")[1]];
found.bytes = bytes;
found.bytesInOrder = bytes.every((text, i) => i === 0 || size(bytes[i - 1]) <= size(text));
found.namesInOrder = names.join() === [...names].sort().join();

// Filtering: every row that is left holds both words.
const filter = document.getElementById("filter");
filter.value = "SGD cosine";
filter.dispatchEvent(new Event("input"));
const rows = [...document.querySelectorAll("tbody tr")];
const left = rows.filter(row => row.offsetParent !== null);
found.filtered = left.length > 0 && left.length < rows.length
  && left.every(row => /sgd/i.test(row.textContent) && /cosine/i.test(row.textContent));
const lines = [...document.querySelectorAll("g[data-series]")];
found.faded = lines.length > 0 && lines.every(line =>
  (line.style.opacity === "") === (/sgd/i.test(line.dataset.series) && /cosine/i.test(line.dataset.series)));
filter.value = "";
filter.dispatchEvent(new Event("input"));
found.whole = [...document.querySelectorAll("tbody tr")].every(row => !row.hidden)
  && lines.every(line => line.style.opacity === "");

// Values under the pointer.
const circle = document.querySelector("circle[data-words]");
circle.dispatchEvent(new PointerEvent("pointermove", { bubbles: true, clientX: 50, clientY: 50 }));
const tip = document.getElementById("tip");
found.hint = !tip.hidden && tip.textContent === circle.dataset.words && tip.textContent;
document.body.dispatchEvent(new PointerEvent("pointermove", { bubbles: true }));
found.hintGone = tip.hidden;

// A chart grows when it is clicked.
const figure = document.querySelector("figure"), before = figure.offsetWidth;
figure.click();
found.grows = figure.offsetWidth >= before && figure.classList.contains("wide");
figure.click();

// Legible in any light: contrast of text and page, as the WCAG measures it.
const light = color => {
  const [r, g, b] = color.match(/[0-9.]+/g).map(Number)
    .map(c => c / 255).map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const page = light(getComputedStyle(document.body).backgroundColor);
const contrast = element => {
  const ink = light(getComputedStyle(element).color);
  return (Math.max(ink, page) + 0.05) / (Math.min(ink, page) + 0.05);
};
found.page = page;
found.leastContrast = Math.min(...[...document.querySelectorAll(".answer, .note, td, th button, a, li")].map(contrast));

// Nothing sticks out sideways, and nothing was fetched.
found.overflow = document.documentElement.scrollWidth - document.documentElement.clientWidth;
found.fetched = performance.getEntriesByType("resource").map(entry => entry.name);
found.answer = document.body.innerText.split("\n").filter(Boolean)[1];
document.title = JSON.stringify(found);
