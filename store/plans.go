package store

import (
	"fmt"
	"sync"
	"unsafe"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// keepPlans has SQLite plan each statement once. Without it SQLite looks at the values bound to a statement, in the hope
// of a better plan, and so prepares nearly all of ours anew each time: a third of the writer's work. The driver has no
// door to this setting, but SQLite shows each connection that is opened to a function of ours.
var keepPlans = sync.OnceValue(func() error {
	tls := libc.NewTLS()
	defer tls.Close()
	// A C function is the address of a Go function, as the driver has it too.
	onOpen := struct {
		f func(tls *libc.TLS, conn, message, api uintptr) int32
	}{keepPlansOf}
	if code := sqlite3.Xsqlite3_auto_extension(tls, *(*uintptr)(unsafe.Pointer(&onOpen))); code != sqlite3.SQLITE_OK {
		return fmt.Errorf("set up SQLite: code %d", code)
	}
	return nil
})

func keepPlansOf(tls *libc.TLS, conn, _, _ uintptr) int32 {
	on := libc.NewVaList(int32(1), uintptr(0))
	defer libc.Xfree(tls, on)
	return sqlite3.Xsqlite3_db_config(tls, conn, sqlite3.SQLITE_DBCONFIG_ENABLE_QPSG, on)
}
