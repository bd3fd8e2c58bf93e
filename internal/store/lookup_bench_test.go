package store

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"akashi/internal/audit"
)

// fillPeople and fillDoses put rows beside the real ones whose sealed data nobody
// can open: only their search keys count.
const fillPeople = `INSERT INTO persons SELECT office, %[3]s, 1, is_current, person_key, import_id, confirmed_by, %[1]s, NULL, %[1]s, %[1]s, NULL, %[1]s, data, 1
	FROM (SELECT * FROM persons WHERE office = '900001' LIMIT 1) p, %[2]s`

const fillDoses = `INSERT INTO doses SELECT office, %[3]s, 1, is_current, programme, person_key, import_id, confirmed_by, %[1]s, 1, %[1]s, data, 1
	FROM (SELECT * FROM doses WHERE office = '900001' LIMIT 1) d, %[2]s`

func fill(b *testing.B, c Config, people, doses int) {
	b.Helper()
	db, err := openRaw(c)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	tx, err := db.BeginTx(b.Context(), nil)
	if err != nil {
		b.Fatal(err)
	}
	fast := func(fn func() error) error { return fn() }
	id := "'filler ' || n"
	key, numbers := "randomblob(16)", "(WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < %d) SELECT n FROM c) s"
	statements := []string{}
	if db.postgres {
		key, numbers, id = "uuid_send(gen_random_uuid())", "generate_series(1, %d) s(n)", "'filler ' || to_char(n, 'FM0000000000')"
		statements = append(statements, "SET LOCAL synchronous_commit = off", "SET LOCAL maintenance_work_mem = '512MB'")
		fast = func(fn func() error) error { return unindexed(b, tx, fn) }
		statements = append(statements, "SELECT set_config('akashi.office', '900001', true)")
	}
	statements = append(statements,
		fmt.Sprintf(fillPeople, key, fmt.Sprintf(numbers, people), id), fmt.Sprintf(fillDoses, key, fmt.Sprintf(numbers, doses), id))
	if err := fast(func() error {
		for _, s := range statements {
			if _, err := tx.ExecContext(b.Context(), s); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		b.Fatal(err)
	}
	if err := tx.Commit(); err != nil {
		b.Fatal(err)
	}
	settle := []string{"ANALYZE"}
	if db.postgres { // as autovacuum leaves it, which would do so while something is measured
		settle = []string{"VACUUM ANALYZE persons", "VACUUM ANALYZE doses"}
	}
	for _, s := range settle {
		if _, err := db.ExecContext(b.Context(), s); err != nil {
			b.Fatal(err)
		}
	}
}

// unindexed runs fn while the two tables have neither foreign keys, which rows
// beside the real ones do not need, nor indexes, which are made again at once.
func unindexed(b *testing.B, tx *sql.Tx, fn func() error) error {
	b.Helper()
	list := func(query string) []string {
		list, err := textsOf(b.Context(), tx, query)
		if err != nil {
			b.Fatal(err)
		}
		return list
	}
	const tables = "('persons', 'doses')"
	keys := list("SELECT format('ALTER TABLE %s DROP CONSTRAINT %I CASCADE', conrelid::regclass, conname) FROM pg_constraint WHERE conrelid::regclass::text IN " + tables + " AND contype = 'f'")
	drops := list("SELECT format('DROP INDEX %I', indexname) FROM pg_indexes WHERE tablename IN " + tables + " AND indexname NOT LIKE '%_pkey'")
	makes := list("SELECT indexdef FROM pg_indexes WHERE tablename IN " + tables + " AND indexname NOT LIKE '%_pkey'")
	run := func(statements []string) error {
		for _, s := range statements {
			if _, err := tx.ExecContext(b.Context(), s); err != nil {
				return fmt.Errorf("%s: %w", s, err)
			}
		}
		return nil
	}
	if err := run(append(keys, drops...)); err != nil {
		return err
	}
	if err := fn(); err != nil {
		return err
	}
	return run(makes)
}

// BenchmarkLookup finds a person with the doses by ticket, among as many people
// as AKASHI_BENCH_PEOPLE says (2.5 doses for each), one client at a time, and
// reports percentiles of what stands inside the act.
func BenchmarkLookup(b *testing.B) {
	const real = 1_000
	people := 20_000
	if n, err := strconv.Atoi(os.Getenv("AKASHI_BENCH_PEOPLE")); err == nil {
		people = n
	}
	for _, name := range []string{"sqlite", "postgres"} {
		b.Run(name, func(b *testing.B) {
			c := benchConfig(b, name)
			s, log := benchedAt(b, c)
			bringAll(b, s, log, bulk(real), real)
			fill(b, c, people-real, people*5/2-real)
			var took, control []time.Duration // control: a round trip that asks for nothing
			find := func(i int) {
				err := log.Act(b.Context(), who(here), audit.Entry{Action: "test"}, func(ctx context.Context, _ *audit.Entry) error {
					ticket := strings.Repeat("0", 10-len(strconv.Itoa(i))) + strconv.Itoa(i)
					started := time.Now()
					found, err := s.Register(here).FindByTicket(ctx, ticket)
					took = append(took, time.Since(started))
					started = time.Now()
					if db, err := act(ctx, here); err != nil || db.Exec("SELECT 1").Error != nil {
						return fmt.Errorf("control: %w", err)
					}
					control = append(control, time.Since(started))
					if err == nil && (len(found) != 1 || len(found[0].Doses) != 1) {
						err = fmt.Errorf("%d found", len(found))
					}
					return err
				})
				if err != nil {
					b.Fatal(err)
				}
			}
			for i := range real {
				find(i)
			}
			took, control = nil, nil
			i := 0
			for b.Loop() {
				find(i * 7919 % real)
				i++
			}
			for name, times := range map[string][]time.Duration{"": took, "-nothing": control} {
				slices.Sort(times)
				b.ReportMetric(float64(times[len(times)/2].Microseconds()), "p50-us"+name)
				b.ReportMetric(float64(times[len(times)*99/100].Microseconds()), "p99-us"+name)
			}
		})
	}
}
