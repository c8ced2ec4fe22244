package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"connectrpc.com/connect"
	"golang.org/x/time/rate"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	"campfire.example/store"
)

// codes are what the store's errors are on the wire.
var codes = []struct {
	err  error
	code connect.Code
}{
	{store.ErrNotFound, connect.CodeNotFound},
	{store.ErrForbidden, connect.CodePermissionDenied},
	{store.ErrTaken, connect.CodeAlreadyExists},
	{store.ErrConflict, connect.CodeFailedPrecondition},
	{store.ErrUnauthenticated, connect.CodeUnauthenticated},
	{store.ErrClosed, connect.CodeUnavailable},
	{store.ErrBusy, connect.CodeResourceExhausted},
	{context.Canceled, connect.CodeCanceled},
	{context.DeadlineExceeded, connect.CodeDeadlineExceeded},
}

// wireError gives every error its code. What nobody expected is logged with the request's id; the caller sees only that.
func (s *Server) wireError(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if known := new(connect.Error); errors.As(err, &known) {
		return err
	}
	if invalid := new(store.InvalidError); errors.As(err, &invalid) {
		return withDetail(connect.NewError(connect.CodeInvalidArgument, err), &errdetails.BadRequest{
			FieldViolations: []*errdetails.BadRequest_FieldViolation{{Field: invalid.Field, Description: invalid.Reason}},
		})
	}
	if errors.Is(err, store.ErrUnwritable) { // the operator must know why, the caller need not
		s.log.Error("nothing can be written", "request", about(ctx).id, "error", err)
		return connect.NewError(connect.CodeUnavailable, store.ErrUnwritable)
	}
	for _, c := range codes {
		if errors.Is(err, c.err) {
			return connect.NewError(c.code, err)
		}
	}
	s.log.Error("call failed", "request", about(ctx).id, "error", err)
	return internalError(ctx)
}

func internalError(ctx context.Context) error {
	return connect.NewError(connect.CodeInternal, fmt.Errorf("something went wrong here; the log knows more of request %s", about(ctx).id))
}

// recovered answers a call whose handler panicked.
func (s *Server) recovered(ctx context.Context, spec connect.Spec, _ http.Header, p any) error {
	s.log.Error("call panicked", "request", about(ctx).id, "procedure", spec.Procedure, "panic", p, "stack", string(debug.Stack()))
	return internalError(ctx)
}

// tooMany asks the caller to come back later.
func tooMany(what string, delay time.Duration) error {
	return withDetail(connect.NewError(connect.CodeResourceExhausted, errors.New(what)),
		&errdetails.RetryInfo{RetryDelay: durationpb.New(delay)})
}

func withDetail(err *connect.Error, detail proto.Message) error {
	if d, detailErr := connect.NewErrorDetail(detail); detailErr == nil {
		err.AddDetail(d)
	}
	return err
}

// errorInterceptor passes the errors of every handler through wireError, and refuses a call whose session has ended
// while its body was on the way.
type errorInterceptor struct{ s *Server }

// WrapUnary implements connect.Interceptor.
func (i errorInterceptor) WrapUnary(next connect.UnaryFunc) connect.UnaryFunc {
	return func(ctx context.Context, req connect.AnyRequest) (connect.AnyResponse, error) {
		if err := i.s.requireStillSignedIn(ctx); err != nil {
			return nil, i.s.wireError(ctx, err)
		}
		began := time.Now()
		res, err := next(ctx, req)
		err = i.s.wireError(ctx, err)
		i.s.logCall(ctx, req.Spec(), began, err)
		return res, err
	}
}

// WrapStreamingHandler implements connect.Interceptor.
func (i errorInterceptor) WrapStreamingHandler(next connect.StreamingHandlerFunc) connect.StreamingHandlerFunc {
	return func(ctx context.Context, conn connect.StreamingHandlerConn) error {
		began := time.Now()
		err := i.s.wireError(ctx, next(ctx, conn))
		i.s.logCall(ctx, conn.Spec(), began, err)
		return err
	}
}

// logCall notes every call for an operator who looks for one: by its request's id, which its answer carried.
func (s *Server) logCall(ctx context.Context, spec connect.Spec, began time.Time, err error) {
	if s.log.Enabled(ctx, slog.LevelDebug) {
		s.log.Debug("call", "request", about(ctx).id, "procedure", spec.Procedure, "code", codeName(err), "took", time.Since(began))
	}
}

// WrapStreamingClient implements connect.Interceptor. The server calls nobody.
func (i errorInterceptor) WrapStreamingClient(next connect.StreamingClientFunc) connect.StreamingClientFunc {
	return next
}

// toldAtOnce is how often the log is told of what strangers can do again and again, before it is told once a minute only.
const toldAtOnce = 100

func nowAndThen() *rate.Sometimes { return &rate.Sometimes{First: toldAtOnce, Interval: time.Minute} }
