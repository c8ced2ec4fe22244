import { useCampfire } from "../state";
import { Icon } from "../ui/icon";

/** Whom to ask for help, and the version, below the forms of strangers. */
export function Help() {
  const contact = useCampfire((s) => s.contact);
  const version = useCampfire((s) => s.version);
  return (
    <div className="panel__after">
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
