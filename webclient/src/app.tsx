import { Component, type ReactNode, Suspense, useEffect, useState } from "react";
import { onSignedOut, reasonOf } from "./api";
import { startOutbox } from "./composer/outbox";
import { followStyles } from "./custom-styles";
import { RoomKind } from "./gen/campfire/v1/room_pb";
import { UserRole } from "./gen/campfire/v1/user_pb";
import { followNotified, NewVersion } from "./installed";
import { startLive } from "./live";
import { NoRooms } from "./rooms/no-rooms";
import { RoomScreen } from "./rooms/room";
import { loadAccount, rememberReturn } from "./session/account";
import { isTooOld } from "./session/browser";
import { homeRoom, loadRooms, newestRoom } from "./sidebar/rooms";
import { Sidebar } from "./sidebar/sidebar";
import { signedInAs, unreadRooms, useCampfire } from "./state";
import { Confirmation } from "./ui/dialog";
import { preloadEditor } from "./ui/editor";
import { Flash } from "./ui/flash";
import { CornerLogo, ErrorScreen, Forbidden, SkipLink } from "./ui/page";
import { fetchAhead, followLinks, navigate, usePath } from "./ui/router";
import { screenOf } from "./ui/screen";

// Fetched when first wanted, or when someone points at a link that leads there: rooms alone are needed at once.
const AccountSettings = screenOf(
  () => import("./account/account"),
  (m) => m.AccountSettings,
);
const Bots = screenOf(
  () => import("./account/bots"),
  (m) => m.Bots,
);
const NewBot = screenOf(
  () => import("./account/bot-form"),
  (m) => m.NewBot,
);
const EditBot = screenOf(
  () => import("./account/bot-form"),
  (m) => m.EditBot,
);
const CustomStyles = screenOf(
  () => import("./account/custom-styles"),
  (m) => m.CustomStyles,
);
const Profile = screenOf(
  () => import("./profile/profile"),
  (m) => m.Profile,
);
const Person = screenOf(
  () => import("./profile/person"),
  (m) => m.Person,
);
const Devices = screenOf(
  () => import("./push/devices"),
  (m) => m.Devices,
);
const Search = screenOf(
  () => import("./search/search"),
  (m) => m.Search,
);
const NewRoom = screenOf(
  () => import("./rooms/room-form"),
  (m) => m.NewRoom,
);
const RoomSettings = screenOf(
  () => import("./rooms/room-form"),
  (m) => m.RoomSettings,
);
const PingSettings = screenOf(
  () => import("./rooms/ping-settings"),
  (m) => m.PingSettings,
);
const SetUp = screenOf(
  () => import("./session/setup"),
  (m) => m.SetUp,
);
const SignIn = screenOf(
  () => import("./session/sign-in"),
  (m) => m.SignIn,
);
const Join = screenOf(
  () => import("./session/join"),
  (m) => m.Join,
);
const ClaimTransfer = screenOf(
  () => import("./session/transfer"),
  (m) => m.ClaimTransfer,
);
const TooOld = screenOf(
  () => import("./session/too-old"),
  (m) => m.TooOld,
);

const ahead: readonly (readonly [RegExp, () => Promise<unknown>])[] = [
  [/^\/account\/edit/, AccountSettings.fetch],
  [/^\/account\/bots$/, Bots.fetch],
  [/^\/account\/bots\/new/, NewBot.fetch],
  [/^\/account\/bots\/\d/, EditBot.fetch],
  [/^\/account\/custom/, CustomStyles.fetch],
  [/^\/users\/me\/profile/, Profile.fetch],
  [/^\/users\/me\/push/, Devices.fetch],
  [/^\/users\/\d/, Person.fetch],
  [/^\/searches/, Search.fetch],
  [/^\/rooms\/directs\//, PingSettings.fetch],
  [/^\/rooms\/(opens|closeds)\/new/, NewRoom.fetch],
  [/^\/rooms\/(opens|closeds)\/\d/, RoomSettings.fetch],
];

/** The whole client: who is here decides which screens there are. */
export function App() {
  const [ready, setReady] = useState(false);
  const [failure, setFailure] = useState<string>();
  useEffect(followLinks, []);
  useEffect(() => fetchAhead(ahead), []);
  useEffect(followStyles, []);
  useEffect(() => {
    onSignedOut(() => signedInAs(undefined));
    let timer: ReturnType<typeof setTimeout> | undefined;
    const load = () => {
      loadAccount().then(
        () => setReady(true),
        (error: unknown) => {
          setFailure(reasonOf(error));
          timer = setTimeout(load, 5000);
        },
      );
    };
    load();
    return () => clearTimeout(timer);
  }, []);
  useEffect(() => (ready ? followNotified() : undefined), [ready]);
  return (
    <Guard>
      <Suspense>
        {tooOld && <TooOld />}
        {ready && !tooOld && <Screens />}
      </Suspense>
      {!ready && !tooOld && failure !== undefined && (
        <ErrorScreen title={failure} action={<span className="spinner" role="status" />} />
      )}
      <Flash />
      <NewVersion />
      <Confirmation />
    </Guard>
  );
}

const tooOld = isTooOld(navigator.userAgent);

function Screens() {
  const path = usePath();
  const account = useCampfire((s) => s.account);
  const userId = useCampfire((s) => s.user?.id);
  if (!account) return path === "/first_run" ? <SetUp /> : <Redirect to="/first_run" />;
  if (userId === undefined) return <Strangers path={path} />;
  return <Members key={userId} userId={userId} path={path} />;
}

function Strangers({ path }: { path: string }) {
  const [, first, second, third] = path.split("/");
  if (first === "join" && second) return <Join joinCode={decodeURIComponent(second)} />;
  if (first === "session" && second === "transfers" && third) return <ClaimTransfer token={third} />;
  if (path === "/session/new") return <SignIn />;
  return <Redirect to="/session/new" onLeave={() => rememberReturn(path + location.search)} />;
}

function Members({ userId, path }: { userId: string; path: string }) {
  const rooms = useCampfire((s) => s.rooms);
  const admin = useCampfire((s) => s.user?.role === UserRole.ADMINISTRATOR);
  const restricted = useCampfire((s) => s.account?.restrictRoomCreationToAdministrators && !admin);
  const unread = useCampfire(unreadRooms);
  useEffect(preloadEditor, []);
  useEffect(() => startLive(), []);
  useEffect(() => startOutbox(userId), [userId]);
  useEffect(() => {
    loadRooms().catch(() => undefined); // the stream's hello loads them again
  }, []);
  useEffect(() => {
    if (!("setAppBadge" in navigator)) return;
    (unread > 0 ? navigator.setAppBadge(unread) : navigator.clearAppBadge()).catch(() => undefined);
  }, [unread]);

  const [, first = "", second = "", third = ""] = path.split("/");
  const administration = (screen: ReactNode) =>
    admin ? page(screen) : <Forbidden>Only administrators may see this.</Forbidden>;
  switch (true) {
    case path === "/first_run" || path === "/session/new" || first === "join":
      return <Redirect to="/" />;
    case first === "session" && second === "transfers" && third !== "":
      return <ClaimTransfer token={third} />;
    case path === "/" || path === "/rooms": {
      if (!rooms) return null;
      const room = path === "/" ? homeRoom(rooms, userId) : newestRoom(rooms);
      return room ? <Redirect to={`/rooms/${room}`} /> : shell(<NoRooms />);
    }
    case path === "/rooms/opens/new" || path === "/rooms/closeds/new":
      if (restricted) return <Forbidden>Only administrators may create rooms here.</Forbidden>;
      return page(<NewRoom kind={second === "opens" ? RoomKind.OPEN : RoomKind.CLOSED} />);
    case /^\/rooms\/(opens|closeds)\/\d+\/edit$/.test(path):
      return page(
        <RoomSettings roomId={third} kind={second === "opens" ? RoomKind.OPEN : RoomKind.CLOSED} />,
      );
    case /^\/rooms\/directs\/\d+\/edit$/.test(path):
      return page(<PingSettings roomId={third} />);
    case path === "/searches":
      return page(<Search />); // with a sidebar of its own
    case path === "/users/me/profile":
      return page(<Profile />);
    case path === "/users/me/push_subscriptions":
      return page(<Devices />);
    case /^\/users\/\d+$/.test(path):
      return page(<Person key={second} userId={second} />);
    case path === "/account/edit":
      return page(<AccountSettings />);
    case path === "/account/bots":
      return administration(<Bots />);
    case path === "/account/bots/new":
      return administration(<NewBot />);
    case /^\/account\/bots\/\d+\/edit$/.test(path):
      return administration(<EditBot botId={third} />);
    case path === "/account/custom_styles/edit":
      return administration(<CustomStyles />);
    case /^\/rooms\/\d+(\/@\d+)?$/.test(path):
      return shell(<RoomScreen roomId={second} messageId={third.slice(1) || undefined} />);
    default:
      return <ErrorScreen title="There is nothing at this address." />;
  }
}

function page(screen: ReactNode) {
  return (
    <>
      <SkipLink />
      <Suspense fallback={<main id="main-content" />}>{screen}</Suspense>
      <CornerLogo />
    </>
  );
}

function shell(screen: ReactNode) {
  return (
    <>
      <SkipLink />
      {screen}
      <Sidebar />
      <CornerLogo />
    </>
  );
}

function Redirect({ to, onLeave }: { to: string; onLeave?: () => void }) {
  useEffect(() => {
    onLeave?.();
    navigate(to, { replace: true });
  });
  return null;
}

/** Shows a page for what went wrong while drawing, instead of nothing. */
class Guard extends Component<{ children: ReactNode }, { failed: boolean }> {
  override state = { failed: false };

  static getDerivedStateFromError() {
    return { failed: true };
  }

  override render() {
    if (!this.state.failed) return this.props.children;
    const again = (
      <button type="button" className="btn" onClick={() => location.reload()}>
        <span>Load again</span>
      </button>
    );
    return <ErrorScreen title="Something went wrong on this page." action={again} />;
  }
}
