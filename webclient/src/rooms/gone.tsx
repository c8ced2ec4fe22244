import { useEffect } from "react";
import { Code } from "@connectrpc/connect";
import { codeOf } from "../api";
import { alertFlash } from "../ui/flash";
import { navigate } from "../ui/router";

/** Whether a call failed because the room is gone, or never was this person's. */
export function isGone(error: unknown): boolean {
  return [Code.NotFound, Code.InvalidArgument].includes(codeOf(error));
}

/** Leads home from a room that is gone, and says so. */
export function leave() {
  alertFlash("That room is gone or you don’t have access.");
  navigate("/", { replace: true });
}

/** Stands where a room would be, and leads home. */
export function Left() {
  useEffect(leave, []);
  return null;
}
