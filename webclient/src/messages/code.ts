/** The most code that is coloured: beyond that, finding out the language takes too long. */
const LONGEST = 20_000;

const waiting = new Set<HTMLElement>();
let busy = false;

/** Colours the blocks of code within, one after the other while nothing else is to be done. Returns how to call it off. */
export function colourCode(within: HTMLElement): () => void {
  const blocks = [...within.querySelectorAll("pre")].filter(
    (pre) => pre.childElementCount === 0 && pre.textContent.length <= LONGEST,
  );
  for (const block of blocks) waiting.add(block);
  if (blocks.length > 0 && !busy) void work();
  return () => blocks.forEach((block) => waiting.delete(block));
}

async function work() {
  busy = true;
  try {
    const { highlighted } = await import("./languages");
    for (const block of waiting) {
      waiting.delete(block);
      block.innerHTML = highlighted(block.textContent);
      block.classList.add("hljs");
      await idle();
    }
  } catch {
    waiting.clear(); // without colours it can be read as well
  } finally {
    busy = false;
  }
}

function idle(): Promise<void> {
  return new Promise((done) => {
    if ("requestIdleCallback" in window) requestIdleCallback(() => done(), { timeout: 500 });
    else setTimeout(done, 20); // Safari
  });
}
