import { useState } from "react";
import { reasonOf, violationsOf } from "../api";
import type { Bot } from "../gen/campfire/v1/bot_pb";
import { Picture } from "../later/picture";
import { useAnswer } from "../ui/answer";
import { Avatar } from "../ui/avatar";
import { confirm } from "../ui/dialog";
import { Field, text } from "../ui/field";
import { alertFlash } from "../ui/flash";
import { Icon } from "../ui/icon";
import { BackButton, ErrorScreen, Page } from "../ui/page";
import { navigate } from "../ui/router";
import { botService, rememberKey } from "./bot-keys";

/** Makes a new bot. */
export function NewBot() {
  return (
    <BotForm
      title="New chat bot"
      save={async (name, webhookUrl) => {
        const { bot, botKey } = await botService.createBot({ name, webhookUrl });
        if (bot?.user) rememberKey(bot.user.id, botKey);
      }}
    />
  );
}

/** Changes a bot, gives it a new key, or removes it. */
export function EditBot({ botId }: { botId: string }) {
  const { value: bot, failure } = useAnswer(botId, async () => {
    const { bots } = await botService.listBots({});
    return bots.find((b) => b.user?.id === botId) ?? null;
  });
  if (failure) return <ErrorScreen title={failure.reason} />;
  if (bot === undefined) return <Page title="Edit bot">{null}</Page>;
  if (bot === null) return <ErrorScreen title="There is no such bot." />;
  return (
    <BotForm
      title="Edit bot"
      bot={bot}
      save={async (name, webhookUrl) => void (await botService.updateBot({ botId, name, webhookUrl }))}
    />
  );
}

interface Props {
  readonly title: string;
  readonly bot?: Bot;
  readonly save: (name: string, webhookUrl: string) => Promise<void>;
}

function BotForm({ title, bot, save }: Props) {
  const [busy, setBusy] = useState(false);
  const [problems, setProblems] = useState<Readonly<Record<string, string>>>({});
  const attempt = async (change: () => Promise<void>) => {
    setBusy(true);
    setProblems({});
    try {
      await change();
      navigate("/account/bots");
    } catch (error) {
      setProblems(Object.fromEntries(violationsOf(error).map((v) => [v.field, v.description])));
      alertFlash(reasonOf(error));
      setBusy(false);
    }
  };
  return (
    <Page title={title} nav={<BackButton to="/account/bots" />}>
      <div className="panel">
        <form
          onSubmit={(event) => {
            event.preventDefault();
            const form = new FormData(event.currentTarget);
            void attempt(() => save(text(form, "name").trim(), text(form, "webhook_url").trim()));
          }}
        >
          <fieldset className="flex flex-column gap align-center">
            <legend className="for-screen-reader">{title}</legend>
            <Picture of="the bot’s picture">
              {bot?.user ? (
                <Avatar user={bot.user} />
              ) : (
                <span className="avatar avatar--icon">
                  <Icon name="default-bot-avatar" />
                </span>
              )}
            </Picture>
            <Field
              name="name"
              label="Name the bot"
              icon="bot"
              phrase="botName"
              autoComplete="off"
              maxLength={100}
              autoFocus
              defaultValue={bot?.user?.name}
              problem={problems["name"]}
            />
            <Field
              name="webhook_url"
              label="Webhook URL"
              icon="web"
              phrase="webhook"
              type="url"
              required={false}
              autoComplete="off"
              maxLength={2048}
              defaultValue={bot?.webhookUrl}
              problem={problems["webhook_url"]}
            />
            <button
              type="submit"
              className="btn btn--reversed center"
              aria-label="Save"
              title="Save"
              aria-busy={busy}
            >
              <Icon name="check" />
            </button>
          </fieldset>
        </form>
        {bot?.user && <Ends bot={bot.user} attempt={attempt} />}
      </div>
    </Page>
  );
}

interface EndsProps {
  readonly bot: { readonly id: string; readonly name: string };
  readonly attempt: (change: () => Promise<void>) => Promise<void>;
}

/** What ends a bot, or its key. */
function Ends({ bot, attempt }: EndsProps) {
  const newKey = async () => {
    if (!(await confirm(`Make a new key for ${bot.name}? The old one stops working at once.`, "New key")))
      return;
    await attempt(async () => rememberKey(bot.id, (await botService.resetBotKey({ botId: bot.id })).botKey));
  };
  const remove = async () => {
    if (!(await confirm(`Delete ${bot.name}? What it wrote stays.`, "Delete"))) return;
    await attempt(async () => void (await botService.deactivateBot({ botId: bot.id })));
  };
  return (
    <>
      <hr className="separator margin-block" />
      <div className="flex gap">
        <button type="button" className="btn btn--negative" title="Delete bot" onClick={() => void remove()}>
          <Icon name="trash" />
          <Icon name="bot" />
          <span className="for-screen-reader">Delete bot</span>
        </button>
        <button
          type="button"
          className="btn btn--negative flex-item-grow"
          title="New key"
          onClick={() => void newKey()}
        >
          <Icon name="refresh" />
          <Icon name="key" />
          <span className="for-screen-reader">New key</span>
        </button>
      </div>
    </>
  );
}
