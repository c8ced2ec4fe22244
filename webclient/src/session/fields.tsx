import type { ReactNode } from "react";
import { useCampfire } from "../state";
import { Icon, type IconName } from "../ui/icon";

interface FieldProps {
  readonly name: string;
  readonly label: string;
  readonly icon: IconName;
  readonly type?: "text" | "email" | "password";
  readonly autoComplete: string;
  readonly maxLength: number;
  readonly autoFocus?: boolean;
  readonly defaultValue?: string;
  /** What the server says is wrong with it. */
  readonly problem?: string | undefined;
}

/** A framed field of a form, with its icon. */
export function Field({ name, label, icon, type = "text", problem, ...rest }: FieldProps) {
  return (
    <div className="flex flex-column full-width">
      <label className="input input--actor txt-large">
        <span className="for-screen-reader">{label}</span>
        <input
          className="input full-width"
          name={name}
          type={type}
          placeholder={label}
          required
          aria-invalid={problem ? true : undefined}
          aria-describedby={problem ? `${name}-problem` : undefined}
          {...rest}
        />
        <Icon name={icon} />
      </label>
      {problem && (
        <span className="txt-small txt-negative pad-block-half" id={`${name}-problem`} role="alert">
          {problem}
        </span>
      )}
    </div>
  );
}

/** Whom to ask for help, and the version, below the forms of strangers. */
export function Help({ children }: { children?: ReactNode }) {
  const contact = useCampfire((s) => s.contact);
  const version = useCampfire((s) => s.version);
  return (
    <div className="panel__after">
      {children}
      {contact && (
        <a className="btn" href={`mailto:${contact.emailAddress}`} title={`Ask ${contact.name} for help`}>
          <Icon name="lifebuoy" />
          <span>{contact.emailAddress}</span>
        </a>
      )}
      {version && <span className="version-badge">Campfire {version}</span>}
    </div>
  );
}

/** The text of a form's field. */
export function text(form: FormData, name: string): string {
  const value = form.get(name);
  return typeof value === "string" ? value : "";
}
