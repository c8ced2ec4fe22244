import { create } from "zustand";
import { clientOf, reasonOf } from "../api";
import { SearchService } from "../gen/campfire/v1/search_pb";
import { confirm } from "../ui/dialog";
import { alertFlash } from "../ui/flash";

/** Finding messages. */
export const searchService = clientOf(SearchService);

/** What was searched for before, newest first. */
export const useRecents = create<{ readonly queries: readonly string[] }>()(() => ({ queries: [] }));

/** Asks what was searched for before. */
export async function loadRecents() {
  const { searches } = await searchService.listRecentSearches({});
  useRecents.setState({ queries: searches.map((s) => s.query) });
}

/** Forgets it, after asking. */
export async function clearRecents() {
  if (!(await confirm("Forget all of your recent searches?", "Forget"))) return;
  try {
    await searchService.clearRecentSearches({});
    useRecents.setState({ queries: [] });
  } catch (error) {
    alertFlash(reasonOf(error));
  }
}

/** The address of a search. */
export function searchPath(query: string): string {
  return `/searches?q=${encodeURIComponent(query)}`;
}
