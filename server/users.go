package server

import (
	"context"
	"fmt"
	"hash/crc32"
	"html"
	"net/http"
	"strconv"
	"strings"
	"unicode"

	"google.golang.org/protobuf/types/known/timestamppb"

	campfirev1 "campfire.example/gen/campfire/v1"
	"campfire.example/store"
)

// ListUsers implements UserService.
func (s *Server) ListUsers(ctx context.Context, req *campfirev1.ListUsersRequest) (*campfirev1.ListUsersResponse, error) {
	users, next, err := s.store.ListUsers(ctx, caller(ctx).UserID, store.Page{Size: int(req.GetPageSize()), Token: req.GetPageToken()})
	if err != nil {
		return nil, err
	}
	return &campfirev1.ListUsersResponse{Users: usersProto(users), NextPageToken: next}, nil
}

// GetUser implements UserService.
func (s *Server) GetUser(ctx context.Context, req *campfirev1.GetUserRequest) (*campfirev1.GetUserResponse, error) {
	user, err := s.store.GetUser(ctx, req.GetUserId())
	if err != nil {
		return nil, err
	}
	me, err := s.store.GetCurrentUser(ctx, caller(ctx).UserID)
	if err != nil {
		return nil, err
	}
	return &campfirev1.GetUserResponse{User: userProtoFor(me, user)}, nil
}

// SuggestUsers implements UserService.
func (s *Server) SuggestUsers(ctx context.Context, req *campfirev1.SuggestUsersRequest) (*campfirev1.SuggestUsersResponse, error) {
	users, err := s.store.SuggestUsers(ctx, caller(ctx).UserID, req.GetQuery(), req.RoomId)
	if err != nil {
		return nil, err
	}
	return &campfirev1.SuggestUsersResponse{Users: usersProto(users)}, nil
}

// UpdateProfile implements UserService.
func (s *Server) UpdateProfile(ctx context.Context, req *campfirev1.UpdateProfileRequest) (*campfirev1.UpdateProfileResponse, error) {
	if req.GetPassword() != "" {
		if err := s.takeAttempt(ctx); err != nil {
			return nil, err
		}
	}
	user, err := s.store.UpdateProfile(ctx, caller(ctx), store.ProfileChanges{
		Name: req.Name, EmailAddress: req.EmailAddress, Password: req.Password, Bio: req.Bio,
	})
	if err != nil {
		return nil, err
	}
	return &campfirev1.UpdateProfileResponse{User: profileProto(user)}, nil
}

// SetUserRole implements UserService.
func (s *Server) SetUserRole(ctx context.Context, req *campfirev1.SetUserRoleRequest) (*campfirev1.SetUserRoleResponse, error) {
	role, ok := keyOf(roles, req.GetRole())
	if !ok {
		role = store.Bot // which nobody can be made: the store says so
	}
	user, err := s.store.SetUserRole(ctx, caller(ctx).UserID, req.GetUserId(), role)
	if err != nil {
		return nil, err
	}
	return &campfirev1.SetUserRoleResponse{User: profileProto(user)}, nil
}

// DeactivateUser implements UserService.
func (s *Server) DeactivateUser(ctx context.Context, req *campfirev1.DeactivateUserRequest) (*campfirev1.DeactivateUserResponse, error) {
	user, err := s.store.DeactivateUser(ctx, caller(ctx).UserID, req.GetUserId())
	if err != nil {
		return nil, err
	}
	return &campfirev1.DeactivateUserResponse{User: profileProto(user)}, nil
}

// BanUser implements UserService.
func (s *Server) BanUser(ctx context.Context, req *campfirev1.BanUserRequest) (*campfirev1.BanUserResponse, error) {
	user, err := s.store.BanUser(ctx, caller(ctx), req.GetUserId())
	if err != nil {
		return nil, err
	}
	return &campfirev1.BanUserResponse{User: profileProto(user)}, nil
}

// UnbanUser implements UserService.
func (s *Server) UnbanUser(ctx context.Context, req *campfirev1.UnbanUserRequest) (*campfirev1.UnbanUserResponse, error) {
	user, err := s.store.UnbanUser(ctx, caller(ctx).UserID, req.GetUserId())
	if err != nil {
		return nil, err
	}
	return &campfirev1.UnbanUserResponse{User: profileProto(user)}, nil
}

var roles = map[store.Role]campfirev1.UserRole{
	store.Member:        campfirev1.UserRole_USER_ROLE_MEMBER,
	store.Administrator: campfirev1.UserRole_USER_ROLE_ADMINISTRATOR,
	store.Bot:           campfirev1.UserRole_USER_ROLE_BOT,
}

var statuses = map[store.Status]campfirev1.UserStatus{
	store.Active:      campfirev1.UserStatus_USER_STATUS_ACTIVE,
	store.Deactivated: campfirev1.UserStatus_USER_STATUS_DEACTIVATED,
	store.Banned:      campfirev1.UserStatus_USER_STATUS_BANNED,
}

// authorProto is a user as they stand beside what they wrote.
func authorProto(u store.User) *campfirev1.User {
	return &campfirev1.User{Id: u.ID, Name: u.Name, Role: roles[u.Role], Status: statuses[u.Status], AvatarPath: avatarPath(u)}
}

// userProto is a user as everyone sees them.
func userProto(u store.User) *campfirev1.User {
	user := authorProto(u)
	user.Bio, user.CreatedAt = u.Bio, timestamppb.New(u.CreatedAt)
	return user
}

// profileProto is a user as they see themselves, and administrators them.
func profileProto(u store.User) *campfirev1.User {
	user := userProto(u)
	user.EmailAddress = u.EmailAddress
	return user
}

// userProtoFor is a user as me sees them: with the address if it is me or I am an administrator. Of who has left only
// the name is told.
func userProtoFor(me, u store.User) *campfirev1.User {
	if u.Status == store.Deactivated {
		return authorProto(u)
	}
	if me.ID == u.ID || me.Role == store.Administrator {
		return profileProto(u)
	}
	return userProto(u)
}

func usersProto(users []store.User) []*campfirev1.User {
	protos := make([]*campfirev1.User, 0, len(users))
	for _, u := range users {
		protos = append(protos, userProto(u))
	}
	return protos
}

// avatarPath changes with what the picture shows, so that it can be cached. Every message has its author's.
func avatarPath(u store.User) string {
	shown := ""
	if u.Role != store.Bot {
		shown = initials(u.Name)
	}
	version := crc32.Update(avatarDesign, crc32.IEEETable, []byte(shown))
	return "/users/" + strconv.FormatInt(u.ID, 10) + "/avatar?v=" + strconv.FormatUint(uint64(version), 36)
}

// avatarDesign stands for how pictures are drawn.
var avatarDesign = crc32.ChecksumIEEE([]byte(avatarSVG(store.User{Name: "A B C"}) + avatarSVG(store.User{Role: store.Bot})))

const avatarPattern = "GET /users/{id}/avatar"

// avatar draws a user's initials on their colour.
func (s *Server) avatar(w http.ResponseWriter, r *http.Request) {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		s.refuse(w, r, fmt.Errorf("user %w", store.ErrNotFound))
		return
	}
	user, err := s.store.GetUser(r.Context(), id)
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "image/svg+xml")
	w.Header().Set("Cache-Control", "private, max-age=1800, stale-while-revalidate=604800")
	_, _ = fmt.Fprint(w, avatarSVG(user)) // the client has hung up
}

// avatarColors all carry white letters (contrast of 4.5 or more).
var avatarColors = [18]string{
	"#a33b3b", "#a8482c", "#8f5a1e", "#776318", "#5f6b1c", "#43742a", "#2a7a3f", "#1c7a5c", "#1a7676",
	"#1f708c", "#28689f", "#3d5fb0", "#5556b5", "#6c4db0", "#8345a2", "#97408c", "#a33d71", "#6b6560",
}

func avatarSVG(u store.User) string {
	const open = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 512 512">`
	if u.Role == store.Bot {
		return open + `<rect width="512" height="512" rx="96" fill="#4a5560"/><g fill="#fff"><circle cx="256" cy="104" r="24"/>` +
			`<path d="M246 112h20v60h-20zM160 168h192a48 48 0 0 1 48 48v128a48 48 0 0 1-48 48H160a48 48 0 0 1-48-48V216a48 48 0 0 1 48-48z"/></g>` +
			`<g fill="#4a5560"><circle cx="200" cy="260" r="32"/><circle cx="312" cy="260" r="32"/><path d="M192 328h128v20H192z"/></g></svg>`
	}
	color := avatarColors[crc32.ChecksumIEEE([]byte(strconv.FormatInt(u.ID, 10)))%uint32(len(avatarColors))]
	letters := initials(u.Name)
	squeeze := ""
	if len([]rune(letters)) > 2 {
		squeeze = ` textLength="435" lengthAdjust="spacingAndGlyphs"` // 85 % of the width
	}
	return open + `<rect width="512" height="512" rx="96" fill="` + color +
		`"/><text x="256" y="256" dy=".36em" text-anchor="middle" font-family="system-ui, sans-serif" font-weight="700" font-size="230" fill="#fff"` +
		squeeze + `>` + html.EscapeString(letters) + `</text></svg>`
}

// initials are the first letters of each word of a name, in any script.
func initials(name string) string {
	var letters strings.Builder
	for _, word := range strings.Fields(name) {
		for _, r := range word {
			if unicode.IsLetter(r) || unicode.IsNumber(r) {
				letters.WriteRune(r)
				break
			}
		}
	}
	if letters.Len() == 0 && name != "" {
		return string([]rune(name)[:1])
	}
	return letters.String()
}
