import { sessionService } from "../api";
import { useAnswer } from "../ui/answer";
import { Icon } from "../ui/icon";
import { LinkBlock } from "../ui/link-block";

/** A link that signs someone in on another device; without a name, oneself. */
export function Transfer({ userId, name }: { userId?: string; name?: string }) {
  const { value: token, failure } = useAnswer(`transfer ${userId ?? ""}`, async () => {
    return (await sessionService.createTransfer(userId === undefined ? {} : { userId })).transferToken;
  });
  const link = token ? new URL(`/session/transfers/${token}`, location.origin).href : "";
  return (
    <section
      className="panel__box align-center"
      aria-label={name ? `Sign-in link for ${name}` : "Sign in on another device"}
      data-testid="transfer"
    >
      <div className="flex align-center gap-half txt-large" aria-hidden="true">
        {name && <Icon name="crown" />}
        <Icon name="laptop" />
        <Icon name="transfer" />
        <Icon name="mobile-phone" />
      </div>
      <p className="txt-align-center txt-balance">
        {name
          ? `This link signs ${name} in, should they have lost their way in. It works for 4 hours; give it to nobody else.`
          : "Open this link on another device to be signed in there. It works for 4 hours; keep it to yourself."}
      </p>
      {failure ? (
        <p className="txt-negative" role="alert">
          {failure.reason}
        </p>
      ) : (
        <LinkBlock
          what="the link to sign in"
          link={link}
          text={
            name
              ? `Only for ${name}: this link signs you in to Campfire.`
              : "Only for me: this link signs in as me."
          }
        />
      )}
    </section>
  );
}
