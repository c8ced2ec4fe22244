import { type RefObject, useEffect } from "react";

/** Closes what is open on Escape and on a click outside of it. */
export function useDismiss(box: RefObject<HTMLElement | null>, open: boolean, close: () => void) {
  useEffect(() => {
    if (!open) return;
    const outside = (event: PointerEvent) => {
      if (event.target instanceof Node && !box.current?.contains(event.target)) close();
    };
    const escape = (event: KeyboardEvent) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      close();
      box.current?.querySelector("button")?.focus();
    };
    document.addEventListener("pointerdown", outside);
    document.addEventListener("keydown", escape);
    return () => {
      document.removeEventListener("pointerdown", outside);
      document.removeEventListener("keydown", escape);
    };
  }, [box, open, close]);
}

/** How near to the bottom of the window a popover must not end. */
const CLEARANCE = 90;

/** Whether a popover that opens downwards must open upwards instead. */
export function opensUpward(popover: HTMLElement): boolean {
  const { top, bottom, height } = popover.getBoundingClientRect();
  const below = window.innerHeight - bottom;
  return below < CLEARANCE && top - height > below;
}
