package testkit

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(context.Background(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

func exec1(t *testing.T, conn *pgx.Conn, statement string) {
	t.Helper()
	if _, err := conn.Exec(context.Background(), statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

func TestPostgresParallel(t *testing.T) {
	var seen sync.Map
	for i := range 8 {
		t.Run(fmt.Sprint("ok/", i), func(t *testing.T) {
			t.Parallel()
			db := Postgres(t)
			if _, twice := seen.LoadOrStore(db.OwnerURL, true); twice {
				t.Fatalf("%s was given twice", db.OwnerURL)
			}
			exec1(t, connect(t, db.OwnerURL), "CREATE TABLE same_name (id int)")
		})
	}
}

func TestPostgresRoles(t *testing.T) {
	db := Postgres(t)
	owner, staff := connect(t, db.OwnerURL), connect(t, db.StaffURL)
	for role, conn := range map[string]*pgx.Conn{"akashi_owner": owner, "akashi_staff": staff} {
		t.Run("ok/"+role, func(t *testing.T) {
			var user, database, ownedBy string
			var super, bypass, createRole, createDB bool
			err := conn.QueryRow(context.Background(), `
				SELECT current_user, datname, pg_get_userbyid(datdba), rolsuper, rolbypassrls, rolcreaterole, rolcreatedb
				FROM pg_roles, pg_database WHERE rolname = current_user AND datname = current_database()`,
			).Scan(&user, &database, &ownedBy, &super, &bypass, &createRole, &createDB)
			if err != nil {
				t.Fatal(err)
			}
			if user != role || ownedBy != "akashi_owner" || super || bypass || createRole || createDB {
				t.Errorf("user %s, owner of the database %s, super %t, bypassrls %t, createrole %t, createdb %t",
					user, ownedBy, super, bypass, createRole, createDB)
			}
		})
	}
	exec1(t, owner, `CREATE TABLE secret (office text)`)
	exec1(t, owner, `INSERT INTO secret VALUES ('900001'), ('900002')`)
	t.Run("error/staff without a grant", func(t *testing.T) {
		if _, err := staff.Exec(context.Background(), "SELECT * FROM secret"); err == nil {
			t.Error("staff reads a table it was not granted")
		}
		if _, err := staff.Exec(context.Background(), "CREATE TABLE mine (id int)"); err == nil {
			t.Error("staff creates a table")
		}
	})
	t.Run("ok/row-level security holds for staff", func(t *testing.T) {
		exec1(t, owner, `GRANT SELECT ON secret TO akashi_staff`)
		exec1(t, owner, `ALTER TABLE secret ENABLE ROW LEVEL SECURITY`)
		exec1(t, owner, `CREATE POLICY own_office ON secret USING (office = '900001')`)
		var rows int
		if err := staff.QueryRow(context.Background(), "SELECT count(*) FROM secret").Scan(&rows); err != nil || rows != 1 {
			t.Errorf("staff sees %d rows, %v", rows, err)
		}
	})
}

// The server must not outlive its test process, however that ends.
func TestPostgresEndsWithTheProcess(t *testing.T) {
	Postgres(t)
	for _, name := range []string{"return", "panic", "exit", "kill"} {
		t.Run("ok/"+name, func(t *testing.T) {
			t.Parallel()
			child := exec.Command(os.Args[0], "-test.run=^TestPostgresChild$")
			child.Env = append(os.Environ(), "TESTKIT_CHILD="+name)
			goAhead, inErr := child.StdinPipe()
			out, outErr := child.StdoutPipe()
			if err := errors.Join(inErr, outErr, child.Start()); err != nil {
				t.Fatal(err)
			}
			lines := bufio.NewScanner(out)
			if !lines.Scan() {
				t.Fatal("the child said nothing")
			}
			address := lines.Text()
			if !listening(address) {
				t.Fatalf("no server at %q", address)
			}
			if err := goAhead.Close(); err != nil {
				t.Fatal(err)
			}
			for lines.Scan() { // the rest of its output
			}
			_ = child.Wait()
			for deadline := time.Now().Add(30 * time.Second); listening(address); time.Sleep(20 * time.Millisecond) {
				if time.Now().After(deadline) {
					t.Fatalf("the server at %s outlived its process", address)
				}
			}
		})
	}
}

func TestPostgresChild(t *testing.T) {
	end := os.Getenv("TESTKIT_CHILD")
	if end == "" {
		t.SkipNow()
	}
	u, err := url.Parse(Postgres(t).OwnerURL)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println(u.Host)
	_, _ = io.Copy(io.Discard, os.Stdin) // until the parent has looked at the server
	switch end {
	case "panic":
		go panic("on purpose")
		select {}
	case "exit":
		os.Exit(3)
	case "kill":
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	}
}

func listening(address string) bool {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}
