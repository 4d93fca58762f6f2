// While the log is being verified: how far it has come. When it has ended, the page is read anew.

const bar = document.getElementById("progress");
const line = document.getElementById("progress-line");

async function look() {
  const answer = await fetch("/audit/integrity/progress", { cache: "no-store" }).catch(() => null);
  if (!answer?.ok) return;
  const { running } = await answer.json();
  if (!running) return location.reload();
  bar.max = Math.max(1, running.size);
  bar.value = running.done;
  line.textContent = line.dataset.words.replace("{done}", running.done).replace("{size}", running.size);
}

if (bar) setInterval(look, 1000);
