import { timestampMs } from "@bufbuild/protobuf/wkt";
import { useEffect, useLayoutEffect, useRef, useState } from "react";
import type { SearchResult } from "../gen/campfire/v1/search_pb";
import { useCampfire } from "../state";
import { useAnswer } from "../ui/answer";
import { Avatar, describe } from "../ui/avatar";
import { Icon } from "../ui/icon";
import { Page, useSidebarLayout } from "../ui/page";
import { justArrived, navigate, useQuery } from "../ui/router";
import { TimeOfDay } from "../ui/time";
import { clearRecents, loadRecents, searchPath, searchService, useRecents } from "./recents";

/** Finds messages in one's rooms. What was searched for before stands where the rooms do elsewhere. */
export function Search() {
  const query = new URLSearchParams(useQuery()).get("q")?.trim() ?? "";
  useSidebarLayout();
  const { value: results, failure } = useAnswer(query, async () => {
    const remember = justArrived();
    const found = query ? (await searchService.searchMessages({ query, remember })).results : undefined;
    loadRecents().catch(() => undefined); // without them one can still search
    return found ?? [];
  });
  const nav = (
    <>
      {query ? (
        <h1 className="room--current searches__query" title={query}>
          <span className="overflow-ellipsis">“{query}”</span>
          {results && (
            <span data-testid="search-count">
              {results.length}
              <span className="for-screen-reader">{results.length === 1 ? " message" : " messages"}</span>
            </span>
          )}
        </h1>
      ) : (
        <h1 className="for-screen-reader">Search</h1>
      )}
      <Recents />
    </>
  );
  return (
    <>
      <Page title="Search" nav={nav}>
        <div className="message-area">
          {failure && (
            <div className="message-area__failure pad" role="alert">
              {failure.reason}
            </div>
          )}
          {results && results.length > 0 && <Results key={query} results={results} />}
          {results?.length === 0 && (
            <div className="message-area__empty">
              <Icon name="search" />
              {query && (
                <p className="for-screen-reader" role="status">
                  Nothing found
                </p>
              )}
            </div>
          )}
        </div>
        <footer id="footer">
          <Form key={query} query={query} />
        </footer>
      </Page>
      <aside id="sidebar" className="searches" aria-label="Recent searches" data-testid="sidebar">
        <div className="sidebar__container">
          <Recents />
        </div>
      </aside>
    </>
  );
}

function Form({ query }: { query: string }) {
  const [text, setText] = useState(query);
  const input = useRef<HTMLInputElement>(null);
  const clear = () => {
    setText("");
    input.current?.focus();
  };
  return (
    <form
      className="composer"
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        if (text.trim()) navigate(searchPath(text.trim()));
      }}
    >
      <a
        className="btn composer__context-btn searches__back"
        href="/"
        aria-label="Leave search"
        title="Leave search"
      >
        <Icon name="arrow-left" />
      </a>
      <label className="composer__input searches__input">
        <Icon name="search" className="composer__input-hint" />
        <span className="for-screen-reader">Search</span>
        <input
          ref={input}
          className="input input--invisible"
          type="search"
          role="searchbox"
          name="q"
          required
          autoFocus
          autoComplete="off"
          maxLength={200}
          placeholder="Search"
          value={text}
          onChange={(event) => setText(event.target.value)}
          onKeyDown={(event) => {
            if (event.key !== "Escape") return;
            event.preventDefault();
            clear();
          }}
        />
        {text && (
          <button
            type="button"
            className="btn btn--borderless searches__reset"
            aria-label="Clear"
            title="Clear"
            onClick={clear}
          >
            <Icon name="remove" />
          </button>
        )}
        <button type="submit" className="btn btn--reversed" aria-label="Find" title="Find">
          <Icon name="arrow-up" />
        </button>
      </label>
    </form>
  );
}

function Recents() {
  const queries = useRecents((s) => s.queries);
  return (
    <div className="searches__recents" role="group" aria-label="Recent searches" data-testid="recents">
      {queries.map((query) => (
        <a key={query} className="btn room" href={searchPath(query)} title={query}>
          <span>“{query}”</span>
        </a>
      ))}
      {queries.length > 0 && (
        <button
          type="button"
          className="btn"
          aria-label="Clear recent searches"
          title="Clear recent searches"
          onClick={() => void clearRecents()}
        >
          <Icon name="broom" />
        </button>
      )}
    </div>
  );
}

function Results({ results }: { results: readonly SearchResult[] }) {
  const list = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    list.current?.scrollTo(0, list.current.scrollHeight);
  }, [results]);
  // Pictures and fonts may still come and move the end.
  useEffect(() => {
    const frame = requestAnimationFrame(() => list.current?.scrollTo(0, list.current.scrollHeight));
    return () => cancelAnimationFrame(frame);
  }, [results]);
  return (
    <div
      ref={list}
      className="messages"
      role="region"
      aria-label="Messages found"
      tabIndex={0}
      data-testid="message-list"
    >
      {results.map((result) => (
        <Found key={result.message?.id} result={result} />
      ))}
    </div>
  );
}

function Found({ result: { message, roomName, excerpt } }: { result: SearchResult }) {
  const me = useCampfire((s) => s.user?.id);
  const author = message?.creator;
  if (!message || !author) return null;
  const mine = author.id === me;
  const link = `/rooms/${message.roomId}/@${message.id}`;
  return (
    <article
      className={mine ? "message message--formatted message--me" : "message message--formatted"}
      data-testid="message"
      data-message-id={message.id}
      data-user-id={author.id}
      data-mine={mine ? "" : undefined}
    >
      <a className="avatar message__avatar" href={`/users/${author.id}`} title={describe(author)}>
        <Avatar user={author} />
        <span className="for-screen-reader">{author.name}</span>
      </a>
      <div className="message__body">
        <div className="message__bubble">
          <div className="message__meta">
            <h2 className="message__heading">
              <strong className="message__author" title={describe(author)}>
                {author.name}
              </strong>
              <span className="message__room">
                <Icon name={mine ? "arrow-left" : "arrow-right"} />
                <a href={link}>{roomName}</a>
              </span>
              {message.createdAt && (
                <a className="message__permalink" href={link}>
                  <TimeOfDay ms={timestampMs(message.createdAt)} />
                </a>
              )}
            </h2>
          </div>
          <div className="message__content" dir="auto" data-testid="message-body">
            {excerpt.map((part, at) =>
              part.matched ? <mark key={at}>{part.text}</mark> : <span key={at}>{part.text}</span>,
            )}
          </div>
        </div>
      </div>
    </article>
  );
}
