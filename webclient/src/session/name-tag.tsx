import { type ReactNode, useState } from "react";
import { reasonOf, violationsOf } from "../api";
import { alertFlash, comingLater } from "../ui/flash";
import { Icon } from "../ui/icon";
import { Field, text } from "./fields";

/** What someone says about themselves on the way in. */
export interface Person {
  readonly name: string;
  readonly emailAddress: string;
  readonly password: string;
}

interface Props {
  readonly legend: ReactNode;
  readonly submit: ReactNode;
  /** Sends it; what it throws is shown at the field it is about. */
  readonly onSubmit: (person: Person) => Promise<void>;
  readonly children: ReactNode;
}

/** The badge in which someone new writes who they are. */
export function NameTag({ legend, submit, onSubmit, children }: Props) {
  const [busy, setBusy] = useState(false);
  const [problems, setProblems] = useState<Readonly<Record<string, string>>>({});
  const send = async (form: FormData) => {
    setBusy(true);
    setProblems({});
    try {
      await onSubmit({
        name: text(form, "name"),
        emailAddress: text(form, "email_address"),
        password: text(form, "password"),
      });
    } catch (error) {
      setProblems(Object.fromEntries(violationsOf(error).map((v) => [v.field, v.description])));
      alertFlash(reasonOf(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <div className="signup">
      <div className="nametag">
        <Icon name="lanyard" className="nametag__lanyard" />
        <form
          className="nametag__inner"
          onSubmit={(event) => {
            event.preventDefault();
            void send(new FormData(event.currentTarget));
          }}
        >
          <fieldset className="flex flex-column gap align-center">
            <legend className="txt-large txt-align-center center">{legend}</legend>
            <div className="avatar__form">
              <button
                type="button"
                className="btn"
                aria-label="Choose a picture"
                onClick={() => comingLater()}
              >
                <Icon name="camera" />
              </button>
              <button
                type="button"
                className="avatar avatar--icon btn--plain"
                aria-label="Your picture"
                onClick={() => comingLater()}
              >
                <Icon name="default-avatar" />
              </button>
            </div>
            <Field
              name="name"
              label="Name"
              icon="person"
              autoComplete="name"
              maxLength={100}
              autoFocus
              problem={problems["name"]}
            />
            <Field
              name="email_address"
              label="Email address"
              icon="email"
              type="email"
              autoComplete="username"
              maxLength={254}
              problem={problems["email_address"]}
            />
            <Field
              name="password"
              label="Password"
              icon="password"
              type="password"
              autoComplete="new-password"
              maxLength={72}
              problem={problems["password"]}
            />
            <button type="submit" className="btn btn--reversed center" aria-busy={busy}>
              {submit}
            </button>
          </fieldset>
        </form>
      </div>
      {children}
    </div>
  );
}
