import { type ReactNode, useState } from "react";
import { reasonOf, violationsOf } from "../api";
import { Picture } from "../later/picture";
import { Field, text } from "../ui/field";
import { alertFlash } from "../ui/flash";
import { Icon } from "../ui/icon";

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
            <Picture of="your picture">
              <span className="avatar avatar--icon">
                <Icon name="default-avatar" />
              </span>
            </Picture>
            <Field
              name="name"
              label="Name"
              icon="person"
              phrase="name"
              autoComplete="name"
              maxLength={100}
              autoFocus
              problem={problems["name"]}
            />
            <Field
              name="email_address"
              label="Email address"
              icon="email"
              phrase="email"
              type="email"
              autoComplete="username"
              maxLength={254}
              problem={problems["email_address"]}
            />
            <Field
              name="password"
              label="Password"
              icon="password"
              phrase="password"
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
