import { type User, UserStatus } from "../gen/campfire/v1/user_pb";

interface AvatarProps {
  readonly user: User;
  readonly className?: string;
  readonly title?: string | undefined;
  /** What the picture is called as a link to the profile; without it, it is no link. */
  readonly link?: string | undefined;
}

/** A person's or bot's picture, as the server draws it. The name stands beside it, or is the button's. */
export function Avatar({ user, className = "", title, link }: AvatarProps) {
  const banned = user.status === UserStatus.BANNED ? "avatar--banned" : "";
  const classes = `avatar ${banned} ${className}`.replace(/\s+/g, " ").trim();
  const picture = <img src={user.avatarPath} alt="" draggable={false} />;
  return (
    <span className={classes} title={title}>
      {link === undefined ? (
        picture
      ) : (
        <a href={`/users/${user.id}`} aria-label={link}>
          {picture}
        </a>
      )}
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
