import { type User, UserRole, UserStatus } from "../gen/campfire/v1/user_pb";
import { Icon } from "./icon";

const colors =
  "#AF2E1B #CC6324 #3B4B59 #BFA07A #ED8008 #ED3F1C #BF1B1B #736B1E #D07B53 #736356 #AD1D1D #BF7C2A #C09C6F #698F9C #7C956B #5D618F #3B3633 #67695E".split(
    " ",
  );

interface AvatarProps {
  readonly user: User;
  readonly className?: string;
  readonly title?: string | undefined;
}

/** A person's or bot's picture: initials on a colour that is theirs, or a robot. */
export function Avatar({ user, className = "", title }: AvatarProps) {
  const banned = user.status === UserStatus.BANNED ? "avatar--banned" : "";
  const classes = `avatar ${banned} ${className}`.replace(/\s+/g, " ").trim();
  if (user.role === UserRole.BOT) {
    return (
      <span className={classes} title={title}>
        <Icon name="default-bot-avatar" />
      </span>
    );
  }
  const initials = initialsOf(user.name);
  const squeezed = [...initials].length > 2 ? { textLength: 85, lengthAdjust: "spacingAndGlyphs" } : {};
  return (
    <span className={classes} title={title} style={{ backgroundColor: colorOf(user.id) }}>
      <svg className="avatar__initials" viewBox="0 0 100 100" aria-hidden="true">
        <text x="50" y="50" {...squeezed}>
          {initials}
        </text>
      </svg>
    </span>
  );
}

/** The first letter of each word of a name. */
export function initialsOf(name: string): string {
  return name
    .split(/\s+/)
    .map((word) => [...word][0] ?? "")
    .join("")
    .toUpperCase();
}

/** What to show when pointing at someone: the name, and what they say about themselves. */
export function describe(user: User): string {
  return user.bio ? `${user.name} – ${user.bio}` : user.name;
}

/** The colour of a user, the same for every viewer. */
export function colorOf(userId: string): string {
  return colors[crc32(userId) % colors.length]!;
}

function crc32(text: string): number {
  let crc = 0xffffffff;
  for (const byte of new TextEncoder().encode(text)) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return (crc ^ 0xffffffff) >>> 0;
}
