package store

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/pressly/goose/v3"
)

// TestMain looks at what all the tests asked of SQLite: nothing may read a whole table,
// or all of an office, but what testdata/plans.golden lists.
func TestMain(m *testing.M) {
	var mu sync.Mutex
	asked := map[string]bool{}
	onPrepare = func(text string) {
		mu.Lock()
		defer mu.Unlock()
		asked[text] = true
	}
	code := m.Run()
	onPrepare = nil
	if flag.Lookup("test.bench").Value.String() != "" {
		os.Exit(code)
	}
	if err := judgePlans(slices.Sorted(maps.Keys(asked))); err != nil {
		fmt.Fprintln(os.Stderr, "error/plans:", err)
		code = 1
	}
	os.Exit(code)
}

func judgePlans(asked []string) error {
	dir, err := os.MkdirTemp("", "plans")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "plans.db"))
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	if err := migrate(context.Background(), db, goose.DialectSQLite3, "sqlite"); err != nil {
		return err
	}
	var whole []string
	for _, text := range asked {
		text = list.ReplaceAllString(text, "IN (?)")
		steps, err := plan(db, text)
		if err != nil {
			return err
		}
		if len(steps) > 0 {
			whole = append(whole, limit.ReplaceAllString(strings.Join(strings.Fields(text), " "), "LIMIT n")+"\n\t"+strings.Join(steps, "; ")+"\n")
		}
	}
	golden := filepath.Join("testdata", "plans.golden")
	if *update {
		return os.WriteFile(golden, []byte(strings.Join(slices.Compact(slices.Sorted(slices.Values(whole))), "")), 0o644)
	}
	reviewed, err := os.ReadFile(golden)
	for _, w := range whole {
		if !strings.Contains(string(reviewed), w) {
			err = errors.Join(err, errors.New("reads more and more as the tables grow; give it an index, or review it and run with -update: "+w))
		}
	}
	return err
}

var (
	planned  = regexp.MustCompile(`^(?is)(SELECT|WITH|UPDATE|DELETE)\b.*(\?|\$1)`)
	invented = regexp.MustCompile(`'(9000|20\d\d-)`) // a test's own
	limit    = regexp.MustCompile(`LIMIT \d+`)
	list     = regexp.MustCompile(`IN \((\?,\s*)+\?\)`)
	grows    = regexp.MustCompile(`^SCAN |\(office=\?\)`)
	bounded  = regexp.MustCompile(`VIRTUAL TABLE|CONSTANT ROW|VALUES CLAUSE`)
	made     = regexp.MustCompile(`^(?:CO-ROUTINE|MATERIALIZE) (\S+)`)
)

// plan is what of a statement's plan grows with a table or an office.
func plan(db *sql.DB, text string) (steps []string, err error) {
	if !planned.MatchString(strings.TrimSpace(text)) || invented.MatchString(text) {
		return nil, nil
	}
	rows, err := db.Query("EXPLAIN QUERY PLAN "+text, make([]any, 200)...) // values change no plan
	if err != nil {
		if strings.Contains(err.Error(), "no such") { // a test's own
			return nil, nil
		}
		return nil, fmt.Errorf("%w: %s", err, text)
	}
	defer func() { _ = rows.Close() }()
	own := map[string]bool{} // rows made by the statement itself
	for rows.Next() {
		var id, parent, unused int
		var step string
		if err := rows.Scan(&id, &parent, &unused, &step); err != nil {
			return nil, err
		}
		if m := made.FindStringSubmatch(step); m != nil {
			own[m[1]] = true
		}
		if grows.MatchString(step) && !bounded.MatchString(step) && !own[strings.TrimPrefix(step, "SCAN ")] {
			steps = append(steps, step)
		}
	}
	return steps, rows.Err()
}
