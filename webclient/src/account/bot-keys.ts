import { create } from "zustand";
import { clientOf } from "../api";
import { BotService } from "../gen/campfire/v1/bot_pb";

/** Bots and their keys; for administrators. */
export const botService = clientOf(BotService);

/** The keys told to this tab, by bot. The server shows each once and keeps only its hash; loading the page again forgets them. */
export const useBotKeys = create<Readonly<Record<string, string>>>()(() => ({}));

/** Keeps a key until the page is left. */
export function rememberKey(botId: string, key: string) {
  useBotKeys.setState({ [botId]: key });
}
