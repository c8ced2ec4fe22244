import { Code } from "@connectrpc/connect";
import { codeOf, reasonOf, roomService, userService } from "../api";
import { type User, UserRole, UserStatus } from "../gen/campfire/v1/user_pb";
import { saveRoom, useCampfire } from "../state";
import { useAnswer, useChangedUsers } from "../ui/answer";
import { Avatar } from "../ui/avatar";
import { confirm } from "../ui/dialog";
import { alertFlash } from "../ui/flash";
import { Icon } from "../ui/icon";
import { BackButton, ErrorScreen, Page } from "../ui/page";
import { navigate } from "../ui/router";
import { Transfer } from "./transfer";

/** Someone else, or a bot; and what administrators can do about them. */
export function Person({ userId }: { userId: string }) {
  const me = useCampfire((s) => s.user);
  const {
    value: user,
    failure,
    set,
  } = useAnswer(userId, async () => {
    return (await userService.getUser({ userId })).user;
  });
  useChangedUsers((changed) => {
    if (changed.id === user?.id) set({ ...changed, emailAddress: changed.emailAddress || user.emailAddress });
  });
  if (failure) {
    const nobody = [Code.NotFound, Code.InvalidArgument].includes(codeOf(failure.error));
    return <ErrorScreen title={nobody ? "There is nobody at this address." : failure.reason} />;
  }
  const own = me?.id === userId;
  const nav = (
    <>
      <BackButton />
      {own && (
        <a
          className="btn flex-item-justify-end"
          href="/users/me/profile"
          aria-label="Edit my profile"
          title="Edit my profile"
        >
          <Icon name="pencil" />
        </a>
      )}
    </>
  );
  return (
    <Page title={user?.name ?? "Campfire"} nav={nav}>
      {user && (
        <div className="panel">
          <div className="flex flex-column align-center gap">
            <span className="txt-xx-large">
              <Avatar user={user} />
            </span>
            <h1 className="txt-x-large txt-align-center txt-break">{user.name}</h1>
            {user.emailAddress && me?.role === UserRole.ADMINISTRATOR && (
              <a className="txt-break" href={`mailto:${user.emailAddress}`}>
                {user.emailAddress}
              </a>
            )}
            {user.bio && <p className="txt-align-center txt-break">{user.bio}</p>}
            {user.status === UserStatus.DEACTIVATED && <p>{user.name} has left this account.</p>}
            {user.status === UserStatus.ACTIVE && <Ping user={user} />}
          </div>
          {me?.role === UserRole.ADMINISTRATOR && user.role !== UserRole.BOT && (
            <Powers user={user} own={own} onSaved={set} />
          )}
        </div>
      )}
    </Page>
  );
}

function Ping({ user }: { user: User }) {
  const open = async () => {
    try {
      const { room } = await roomService.openDirectRoom({ userIds: [user.id] });
      if (!room) return;
      saveRoom(room);
      navigate(`/rooms/${room.id}`);
    } catch (error) {
      alertFlash(reasonOf(error));
    }
  };
  return (
    <button
      type="button"
      className="btn btn--reversed panel__button"
      aria-label={`Ping ${user.name}`}
      title={`Ping ${user.name}`}
      onClick={() => void open()}
    >
      <Icon name="messages" />
      <span>Ping</span>
    </button>
  );
}

interface PowersProps {
  readonly user: User;
  readonly own: boolean;
  readonly onSaved: (user: User) => void;
}

/** What administrators can do for a person, and against one. */
function Powers({ user, own, onSaved }: PowersProps) {
  const act = async (question: string, action: string, call: () => Promise<{ user?: User | undefined }>) => {
    if (!(await confirm(question, action))) return;
    try {
      const answer = await call();
      if (answer.user) onSaved(answer.user);
    } catch (error) {
      alertFlash(reasonOf(error));
    }
  };
  const { id: userId, name } = user;
  const ban = () =>
    act(
      `Ban ${name}? This signs them out, deletes their messages, and blocks the network addresses they came from.`,
      "Ban",
      () => userService.banUser({ userId }),
    );
  const unban = () =>
    act(`Let ${name} in again? Their messages do not come back.`, "Remove ban", () =>
      userService.unbanUser({ userId }),
    );
  const remove = () =>
    act(`Take ${name} off this account permanently?`, "Remove", () => userService.deactivateUser({ userId }));
  switch (user.status) {
    case UserStatus.BANNED:
      return (
        <Power icon="remove-circle" onPress={unban}>
          Remove ban
        </Power>
      );
    case UserStatus.ACTIVE:
      return (
        <>
          {own ? <Transfer /> : <Transfer userId={userId} name={name} />}
          {!own && (
            <>
              <Power icon="minus" onPress={remove}>
                Remove {name}
              </Power>
              <Power icon="ban" onPress={ban}>
                Ban {name}
              </Power>
            </>
          )}
        </>
      );
    default:
      return null;
  }
}

interface PowerProps {
  readonly icon: "minus" | "ban" | "remove-circle";
  readonly onPress: () => Promise<void>;
  readonly children: React.ReactNode;
}

function Power({ icon, onPress, children }: PowerProps) {
  return (
    <button
      type="button"
      className="btn btn--negative panel__button margin-block-start"
      onClick={() => void onPress()}
    >
      <Icon name={icon} />
      <span className="overflow-ellipsis">{children}</span>
    </button>
  );
}
