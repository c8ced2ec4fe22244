import { type RefObject, useLayoutEffect, useRef } from "react";
import { create } from "zustand";

interface Question {
  readonly text: string;
  readonly action: string;
  readonly answer: (yes: boolean) => void;
}

const useQuestion = create<{ question?: Question | undefined }>()(() => ({}));

/** Asks before something that cannot be undone. The action is what the button says. */
export function confirm(text: string, action: string): Promise<boolean> {
  useQuestion.getState().question?.answer(false);
  return new Promise((resolve) => {
    const answer = (yes: boolean) => {
      useQuestion.setState({ question: undefined });
      resolve(yes);
    };
    useQuestion.setState({ question: { text, action, answer } });
  });
}

/** The place where questions appear. */
export function Confirmation() {
  const question = useQuestion((s) => s.question);
  return question ? <Asking key={question.text} {...question} /> : null;
}

/**
 * Opens a dialog over the page, which keeps the focus inside, and gives the focus back when it goes: so it closes before
 * React takes it out of the page.
 */
export function useModal(): RefObject<HTMLDialogElement | null> {
  const dialog = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    const element = dialog.current;
    element?.showModal();
    return () => element?.close();
  }, []);
  return dialog;
}

function Asking({ text, action, answer }: Question) {
  const dialog = useModal();
  const go = useRef<HTMLButtonElement>(null);
  useLayoutEffect(() => go.current?.focus(), []); // a dialog that opens focuses its first button otherwise
  return (
    <dialog
      ref={dialog}
      className="dialog dialog--question"
      aria-label={text}
      onCancel={(event) => {
        event.preventDefault();
        answer(false);
      }}
      onClick={(event) => event.target === dialog.current && answer(false)}
    >
      <form
        method="dialog"
        className="flex flex-column gap"
        onSubmit={(event) => {
          event.preventDefault();
          answer(true);
        }}
      >
        <p className="txt-align-center">{text}</p>
        <div className="flex gap justify-center">
          <button type="button" className="btn" onClick={() => answer(false)}>
            <span>Cancel</span>
          </button>
          <button ref={go} type="submit" className="btn btn--negative">
            <span>{action}</span>
          </button>
        </div>
      </form>
    </dialog>
  );
}
