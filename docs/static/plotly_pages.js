// Draws the plotly figures of a page when they come near the window, and takes 3D ones away again when they leave it:
// browsers keep only about 16 WebGL scenes alive. Until then, and without this script, the figure's picture is shown.

const library = new URL("plotly.min.js", document.currentScript.src).href;
let loading = null;

function plotly() {
  loading ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = library;
    script.onload = () => resolve(window.Plotly);
    script.onerror = () => reject(new Error(`${library} is missing: build the site again with "make site"`));
    document.head.append(script);
  });
  return loading;
}

async function draw(holder) {
  const { data, layout, frames } = JSON.parse(holder.querySelector("script").textContent);
  const library = await plotly();
  if (holder.dataset.state !== "near") return; // scrolled past while the library was loading
  const chart = document.createElement("div");
  holder.append(chart);
  await library.newPlot(chart, { data, layout, frames, config: { responsive: true, displaylogo: false } });
  holder.dataset.state = "drawn";
}

function remove(holder) {
  const chart = holder.querySelector(".js-plotly-plot");
  if (chart && chart.querySelector(".gl-container canvas")) {
    window.Plotly.purge(chart);
    chart.remove();
    holder.dataset.state = "";
  }
}

const watcher = new IntersectionObserver(
  (entries) => {
    for (const { target, isIntersecting } of entries) {
      if (isIntersecting && !target.dataset.state) {
        target.dataset.state = "near";
        draw(target).catch((error) => {
          target.dataset.state = "failed";
          console.error(error);
        });
      } else if (!isIntersecting && target.dataset.state === "drawn") {
        remove(target);
      } else if (!isIntersecting && target.dataset.state === "near") {
        target.dataset.state = "";
      }
    }
  },
  { rootMargin: "300px" },
);
document.querySelectorAll(".plotly-page-figure").forEach((holder) => watcher.observe(holder));
