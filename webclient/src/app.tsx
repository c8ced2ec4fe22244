import { Component, type ReactNode, useEffect, useState } from "react";
import { onSignedOut, reasonOf } from "./api";
import { startOutbox } from "./composer/outbox";
import { RoomKind } from "./gen/campfire/v1/room_pb";
import { UserRole } from "./gen/campfire/v1/user_pb";
import { startLive } from "./live";
import { Profile } from "./profile/profile";
import { NoRooms } from "./rooms/no-rooms";
import { RoomScreen } from "./rooms/room";
import { NewRoom } from "./rooms/room-form";
import { loadAccount, rememberReturn } from "./session/account";
import { Join } from "./session/join";
import { SetUp } from "./session/setup";
import { SignIn } from "./session/sign-in";
import { homeRoom, loadRooms, newestRoom } from "./sidebar/rooms";
import { Sidebar } from "./sidebar/sidebar";
import { signedInAs, useCampfire } from "./state";
import { Confirmation } from "./ui/dialog";
import { preloadEditor } from "./ui/editor";
import { Flash } from "./ui/flash";
import { CornerLogo, ErrorScreen, SkipLink } from "./ui/page";
import { followLinks, navigate, usePath } from "./ui/router";

/** The whole client: who is here decides which screens there are. */
export function App() {
  const [ready, setReady] = useState(false);
  const [failure, setFailure] = useState<string>();
  useEffect(followLinks, []);
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
  return (
    <Guard>
      {ready && <Screens />}
      {!ready && failure !== undefined && (
        <ErrorScreen title={failure} action={<span className="spinner" role="status" />} />
      )}
      <Flash />
      <Confirmation />
    </Guard>
  );
}

function Screens() {
  const path = usePath();
  const account = useCampfire((s) => s.account);
  const userId = useCampfire((s) => s.user?.id);
  if (!account) return path === "/first_run" ? <SetUp /> : <Redirect to="/first_run" />;
  if (userId === undefined) return <Strangers path={path} />;
  return <Members key={userId} userId={userId} path={path} />;
}

function Strangers({ path }: { path: string }) {
  const joinCode = /^\/join\/([^/]+)$/.exec(path)?.[1];
  if (joinCode) return <Join joinCode={decodeURIComponent(joinCode)} />;
  if (path === "/session/new") return <SignIn />;
  return <Redirect to="/session/new" onLeave={() => rememberReturn(path + location.search)} />;
}

function Members({ userId, path }: { userId: string; path: string }) {
  const rooms = useCampfire((s) => s.rooms);
  const restricted = useCampfire(
    (s) => s.account?.restrictRoomCreationToAdministrators && s.user?.role !== UserRole.ADMINISTRATOR,
  );
  useEffect(preloadEditor, []);
  useEffect(() => startLive(), []);
  useEffect(() => startOutbox(userId), [userId]);
  useEffect(() => {
    loadRooms().catch(() => undefined); // the stream's hello loads them again
  }, []);

  const [, first = "", second = "", third = ""] = path.split("/");
  switch (true) {
    case path === "/first_run" || path === "/session/new" || first === "join":
      return <Redirect to="/" />;
    case path === "/" || path === "/rooms": {
      if (!rooms) return null;
      const room = path === "/" ? homeRoom(rooms, userId) : newestRoom(rooms);
      return room ? <Redirect to={`/rooms/${room}`} /> : shell(<NoRooms />);
    }
    case path === "/rooms/opens/new" || path === "/rooms/closeds/new":
      if (restricted) return <ErrorScreen title="Only administrators may create rooms here." />;
      return page(<NewRoom kind={second === "opens" ? RoomKind.OPEN : RoomKind.CLOSED} />);
    case path === "/users/me/profile":
      return page(<Profile />);
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
      {screen}
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
