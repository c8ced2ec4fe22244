import { useCampfire } from "../state";
import { Icon } from "../ui/icon";
import { Page } from "../ui/page";

/** What someone sees who is in no room. */
export function NoRooms() {
  const name = useCampfire((s) => s.user?.name);
  return (
    <Page title="No rooms yet">
      <div className="message-area">
        <div className="message-area__empty">
          <Icon name="messages-empty" />
          <h1 className="for-screen-reader">No rooms yet, {name}</h1>
        </div>
      </div>
    </Page>
  );
}
