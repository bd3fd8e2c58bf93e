package store

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"testing"

	"akashi/internal/audit"
	"akashi/internal/clock"
	"akashi/internal/statistics"
	"akashi/internal/testkit"
)

// Applications and their certificates over 400 days, rows about as long as real ones: %[1]s counts
// n, %[2]s is n with zeros before it, %[3]s some bytes, %[4]s a day of milliseconds at.
const (
	fillApplications = `INSERT INTO applications (office, id, version, state, kind, programme, channel, person_key, person_id, reasons, data, created_at, updated_at)
		SELECT '900001', 'filler ' || %[2]s, 4, CASE WHEN n %% 50 = 0 THEN 'rejected' ELSE 'fulfilled' END, CASE WHEN n %% 3 = 0 THEN 'domestic' ELSE 'travel' END, 'covid19',
		CASE WHEN n %% 5 = 0 THEN 'mail' ELSE 'counter' END, '%[5]s', '', '[{"code":"record_not_found","weight":"final"}]', %[3]s, at, at + (n %% 900) * 7000 FROM (SELECT n, %[6]d + n * %[7]d AS at FROM %[1]s) x`
	fillCertificates = `INSERT INTO certificates (office, id, application_id, kind, programme, state, person_key, ai, issued_at, issued_on, layout, catalogue, supersedes, superseded_by, content, prepared_at, claimed_at, closed_at, reason, copies)
		SELECT office, substr(id, 8), id, kind, programme, CASE WHEN updated_at %% 7 = 0 THEN 'superseded' ELSE 'issued' END, person_key, 'JPN900001' || replace(%[4]s, '-', '') || substr(id, 9), updated_at, %[4]s,
		'', '', '', '', %[3]s, updated_at, 0, 0, '', 1 FROM (SELECT *, updated_at AS at FROM applications WHERE office = '900001' AND state = 'fulfilled') x`
)

func fillCases(b *testing.B, c Config, key string, from clock.Date, cases int) {
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
	counted := fmt.Sprintf("(WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < %d) SELECT n FROM c) s", cases)
	padded, data, day := "printf('%07d', n)", "randomblob(1100)", "strftime('%Y-%m-%d', at / 1000 + 32400, 'unixepoch')"
	statements, settle := []string{}, []string{"ANALYZE"}
	if db.postgres {
		counted = fmt.Sprintf("generate_series(1::bigint, %d) s(n)", cases)
		padded, data, day = "to_char(n, 'FM0000000')", "decode(repeat(md5(random()::text), 69), 'hex')", "to_char(to_timestamp(at / 1000.0) AT TIME ZONE 'Asia/Tokyo', 'YYYY-MM-DD')"
		statements = append(statements, "SET LOCAL synchronous_commit = off", "SELECT set_config('akashi.office', '900001', true)")
		settle = []string{"VACUUM ANALYZE applications", "VACUUM ANALYZE certificates"}
	}
	arguments := []any{counted, padded, data, day, key, from.Begins().UnixMilli(), statistics.MaxDays * 86_400_000 / cases}
	statements = append(statements, fmt.Sprintf(fillApplications, arguments...), fmt.Sprintf(fillCertificates, arguments...))
	for _, s := range statements {
		if _, err := tx.ExecContext(b.Context(), s); err != nil {
			b.Fatal(err)
		}
	}
	if err := tx.Commit(); err != nil {
		b.Fatal(err)
	}
	for _, s := range settle {
		if _, err := db.ExecContext(b.Context(), s); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkStatistics counts 400 days of an office that had as many applications in them as
// AKASHI_BENCH_CASES says.
func BenchmarkStatistics(b *testing.B) {
	cases := 20_000
	if n, err := strconv.Atoi(os.Getenv("AKASHI_BENCH_CASES")); err == nil {
		cases = n
	}
	for _, name := range []string{"sqlite", "postgres"} {
		b.Run(name, func(b *testing.B) {
			c := benchConfig(b, name)
			s, log := benchedAt(b, c)
			var key string
			if err := log.Act(b.Context(), who(here), audit.Entry{Action: "test"}, func(ctx context.Context, _ *audit.Entry) error {
				db, err := act(ctx, here)
				if err != nil {
					return err
				}
				made, err := s.newPersonKey(db, here, nil)
				key = made.ID
				return err
			}); err != nil {
				b.Fatal(err)
			}
			q := statistics.Question{From: "2025-10-01", To: clock.Date("2025-10-01").AddDays(statistics.MaxDays - 1)}
			fillCases(b, c, key, q.From, cases)
			total := 0
			m := testkit.NewMeter(b)
			for b.Loop() {
				issued, err := s.CountIssued(b.Context(), here, q)
				if err == nil {
					_, err = s.CountRefused(b.Context(), here, q)
				}
				if err != nil {
					b.Fatal(err)
				}
				total = 0
				for _, i := range issued {
					total += i.Count
				}
			}
			m.Report(b, b.N*total, 0) // for each certificate; of PostgreSQL the client's part only
			b.ReportMetric(float64(total), "certificates")
		})
	}
}
