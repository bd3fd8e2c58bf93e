package exchange_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/text/encoding/japanese"

	"akashi/certificate"
	"akashi/internal/actor"
	"akashi/internal/application"
	"akashi/internal/cli"
	"akashi/internal/exchange"
	"akashi/internal/fault"
	"akashi/internal/office"
	"akashi/internal/testkit"
	"akashi/internal/testkit/world"
)

const header = "種類,接種券番号,姓,名,生年月日,旅券MRZ1,旅券MRZ2,申請者,申請者の姓,住所\r\n"

// rows of people of the samples: all accepted, the last two to be confirmed by a person.
const sound = "国内用,0000000001,桜井,澪,1991-02-18,,,,,架空県証市明石一丁目2番3号\r\n" +
	"海外用,0000000001,桜井,澪,平成3年2月18日,PPJPNSAKURAI<<MIO<<<<<<<<<<<<<<<<<<<<<<<<<<<,TK00000003JPN9102181F3206308<<<<<<<<<<<<<<00,本人,,\r\n" +
	"国内用,0000000004,𠮷野,花子,1949/1/8,,,,,\r\n" +
	"国内用,,見本,太郎,19581103,,,,,\r\n"

// say tells a finding by its key.
func say(f exchange.Finding) (ja, en string) { return f.Key, f.Key }

func stage(t *testing.T, w *world.World, by actor.Actor, file string) exchange.Batch {
	t.Helper()
	b, err := w.Batches.Stage(t.Context(), by, []byte(file), "2026-11", nil)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// applications are those of a batch, by line.
func applications(t *testing.T, w *world.World, id string) (list []application.Application) {
	t.Helper()
	b, err := w.Batches.Get(t.Context(), w.Officer, id)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range b.Rows {
		if r.Application == "" {
			continue
		}
		a, err := w.Applications.Get(t.Context(), w.Officer, r.Application)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, a)
	}
	return list
}

// dying is a store whose process dies after it noted some rows, and before that is committed.
type dying struct {
	exchange.Store
	left int
}

var errDied = errors.New("the process died")

func (s *dying) RowDone(ctx context.Context, code string, r exchange.OpenRow) error {
	err := s.Store.RowDone(ctx, code, r)
	if s.left--; s.left < 0 {
		return errDied
	}
	return err
}

// RowFailed is not reached by a process that died.
func (s *dying) RowFailed(context.Context, string, exchange.OpenRow, string, int) error {
	return errDied
}

// S-038: all rows are judged before anything is written; they become applications all of
// them or only the accepted ones, each once though the process dies in the middle.
func TestBatch(t *testing.T) {
	world.Each(t, func(t *testing.T, w *world.World) {
		ctx, s := t.Context(), w.Batches
		count := func() int {
			list, err := w.Applications.List(ctx, w.Clerk, application.Filter{Limit: 50})
			if err != nil {
				t.Fatal(err)
			}
			return len(list)
		}
		bad := header + sound + "国内用,0000000002,見本,太郎,1958-11-33,,,,,\r\n" // no such day
		b := stage(t, w, w.Clerk, bad)
		if b.Count != 5 || b.Accepted != 4 || count() != 0 {
			t.Fatalf("ok/judged: %+v, %d applications", b, count())
		}
		if got := b.Rows[4]; got.Accepted || len(got.Findings) != 1 || got.Findings[0].Key != "date" || got.Findings[0].Column != "生年月日" || got.Line != 6 {
			t.Errorf("ok/why: %+v", got)
		}
		if _, err := s.Stage(ctx, w.Clerk, []byte(bad), "2026-11", nil); !errors.Is(err, fault.New(fault.Conflict, "batch_repeated", "")) {
			t.Errorf("error/the same file again: %v", err)
		}
		if _, err := s.Commit(ctx, w.Clerk, b.ID, true); !errors.Is(err, fault.New(fault.Conflict, "batch_not_whole", "")) || count() != 0 {
			t.Errorf("error/all or nothing: %v, %d applications", err, count())
		}
		if _, err := s.Commit(ctx, w.Officer, b.ID, false); !errors.Is(err, fault.New(fault.Forbidden, "batch_of_another", "")) {
			t.Errorf("error/committed by another: %v", err)
		}
		if n, err := s.Step(ctx, 10); n != 0 || err != nil {
			t.Errorf("error/not committed: %d %v", n, err)
		}
		if _, err := s.Commit(ctx, w.Clerk, b.ID, false); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Commit(ctx, w.Clerk, b.ID, false); !errors.Is(err, fault.New(fault.Conflict, "bulk_state", "")) {
			t.Errorf("error/committed twice: %v", err)
		}
		if _, err := s.Close(ctx, w.Clerk, b.ID); !errors.Is(err, fault.New(fault.Conflict, "batch_open", "")) {
			t.Errorf("error/closed before its end: %v", err)
		}
		if n, err := s.Step(ctx, 1); n != 1 || err != nil { // at a pace
			t.Errorf("ok/step: %d %v", n, err)
		}
		died := *s
		died.Store = &dying{w.Store, 1}
		if n, err := died.Step(ctx, 10); n != 1 || !errors.Is(err, errDied) {
			t.Errorf("error/died: %d %v", n, err)
		}
		if n, err := s.Step(ctx, 10); n != 2 || err != nil {
			t.Errorf("ok/goes on: %d %v", n, err)
		}
		got, err := s.Get(ctx, w.Clerk, b.ID)
		if err != nil || got.Done != 4 || got.Failed != 0 || got.Open() || count() != 4 {
			t.Errorf("ok/each once: %+v %v, %d applications", got, err, count())
		}
		made := applications(t, w, b.ID)
		for i, want := range []struct {
			state application.State
			kind  string
		}{{application.Approved, "domestic"}, {application.Approved, "travel"}, {application.Approved, "domestic"}, {application.Review, "domestic"}} {
			a := made[i]
			if a.State != want.state || string(a.Form.Kind) != want.kind || a.Form.Channel != application.Mail || a.Form.NoticeVersion != "2026-11" {
				t.Errorf("ok/application %d: %v %v %v", i+1, a.State, a.Form.Kind, a.Reasons)
			}
		}
		if p := made[0].Form.Postal; p == nil || p.Address != "架空県証市明石一丁目2番3号" || made[1].Form.Postal != nil {
			t.Errorf("ok/address: %+v", p)
		}
		entries, err := w.Store.(logReader).LogEntries(ctx, w.Clerk.Office, made[0].ID)
		if err != nil || !strings.Contains(fmt.Sprintf("%s", entries), `"person":"`+w.Clerk.Person+`"`) {
			t.Errorf("ok/the clerk's acts: %v", err)
		}

		whole := stage(t, w, w.Clerk, "\uFEFF"+header+sound)
		if _, err := s.Commit(ctx, w.Clerk, whole.ID, true); err != nil {
			t.Errorf("ok/whole: %v", err)
		}
		if n, err := s.Step(ctx, 10); n != 4 || err != nil || count() != 8 {
			t.Errorf("ok/whole, step: %d %v, %d applications", n, err, count())
		}
	})
}

// late is a node that does not see what another has made since it looked, once.
type late struct {
	exchange.Store
	looked bool
}

func (s *late) ApplicationState(ctx context.Context, code, id string) (application.State, error) {
	if !s.looked {
		s.looked = true
		return "", nil
	}
	return s.Store.ApplicationState(ctx, code, id)
}

// slower saves after somebody else, once.
type slower struct {
	application.Store
	saved bool
}

func (s *slower) SaveApplication(ctx context.Context, a *application.Application) error {
	if !s.saved {
		s.saved = true
		return fault.New(fault.Conflict, "version", "")
	}
	return s.Store.SaveApplication(ctx, a)
}

// S-038: a row at which another node is, or a clerk with its application, is not left for a
// person: it is looked at again and done.
func TestBatchTaken(t *testing.T) {
	world.Each(t, func(t *testing.T, w *world.World) {
		b := stage(t, w, w.Clerk, header+sound)
		if _, err := w.Batches.Commit(t.Context(), w.Clerk, b.ID, true); err != nil {
			t.Fatal(err)
		}
		step := func(s exchange.Batches, most, want int) {
			t.Helper()
			if n, err := s.Step(t.Context(), most); n != want || err != nil {
				t.Errorf("%d done, want %d: %v", n, want, err)
			}
			if got, err := w.Batches.Get(t.Context(), w.Clerk, b.ID); err != nil || got.Failed != 0 || slices.ContainsFunc(got.Rows, func(r exchange.Row) bool { return r.Fault != "" }) {
				t.Errorf("left for a person: %+v %v", got.Rows, err)
			}
		}
		dies := *w.Batches
		dies.Store = &dying{w.Store, 0} // it has made the application of the first row
		if _, err := dies.Step(t.Context(), 1); !errors.Is(err, errDied) {
			t.Fatal(err)
		}
		second, third := *w.Batches, *w.Batches
		second.Store = &late{Store: w.Store}
		slow := *w.Applications
		slow.Store, third.Applications = &slower{Store: w.Applications.Store}, &slow
		step(second, 1, 0)
		step(third, 2, 1)
		step(*w.Batches, 10, 3)
		if made := applications(t, w, b.ID); len(made) != 4 {
			t.Errorf("%d applications", len(made))
		}
	})
}

// adr/0033: of many who hand in one file at once, one has it; another of them once that is
// thrown away.
func TestBatchesAtOnce(t *testing.T) {
	world.Each(t, func(t *testing.T, w *world.World) {
		for range 2 {
			var all sync.WaitGroup
			batches, results := make([]exchange.Batch, 8), make([]error, 8)
			for i := range results {
				all.Go(func() {
					batches[i], results[i] = w.Batches.Stage(t.Context(), w.Clerk, []byte(header+sound), "2026-11", nil)
				})
			}
			all.Wait()
			won := -1
			for i, err := range results {
				var f *fault.Error
				switch {
				case err == nil && won >= 0:
					t.Error("error/at once: two have it")
				case err == nil:
					won = i
				case !errors.As(err, &f) || f.Key != "batch_repeated" || f.Args["batch"] == "":
					t.Errorf("error/at once: %v", err)
				}
			}
			if won < 0 {
				t.Fatal("error/at once: nobody has it")
			}
			if _, err := w.Batches.Close(t.Context(), w.Clerk, batches[won].ID); err != nil {
				t.Fatal(err)
			}
		}
	})
}

type logReader interface {
	LogEntries(ctx context.Context, office, object string) ([][]byte, error)
}

// formulas are cells that a spreadsheet program would run.
var formulas = regexp.MustCompile(`^([\t\r\n\x00]|[\s\x{3000}]*[=+@＝＋－＠-])`)

// S-037: the same file comes back in the encoding in which it came, with line, errors and
// notes, and no cell that a spreadsheet program would run; handed in again it is the same.
func TestBatchFile(t *testing.T) {
	w := world.New(t, cli.Config{Data: t.TempDir()})
	formula := "国内用,0000000002,\"=HYPERLINK(\"\"x\"\")\",太郎,1958-11-03,,,代理,\t@SUM(1),＝１＋１\r\n"
	utf8 := header + strings.ReplaceAll(sound, "𠮷", "吉") + formula
	cp932, err := japanese.ShiftJIS.NewEncoder().Bytes([]byte(utf8))
	if err != nil {
		t.Fatal(err)
	}
	for name, file := range map[string][]byte{"ok/utf-8": []byte(utf8), "ok/utf-8 with a mark": []byte("\uFEFF" + utf8), "ok/cp932": cp932} {
		t.Run(name, func(t *testing.T) {
			b := stage(t, w, w.Clerk, string(file))
			back, err := w.Batches.File(t.Context(), w.Clerk, b.ID, say)
			if err != nil {
				t.Fatal(err)
			}
			if bytes.HasPrefix(back, []byte("\uFEFF")) != bytes.HasPrefix(file, []byte("\uFEFF")) {
				t.Error("another mark")
			}
			text := back
			if name == "ok/cp932" {
				if text, err = japanese.ShiftJIS.NewDecoder().Bytes(back); err != nil {
					t.Fatal(err)
				}
			}
			lines, err := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(text, []byte("\uFEFF")))).ReadAll()
			if err != nil || len(lines) != 6 {
				t.Fatalf("%d lines, %v", len(lines), err)
			}
			if i := slices.IndexFunc(slices.Concat(lines...), formulas.MatchString); i >= 0 {
				t.Errorf("a formula: %q", slices.Concat(lines...)[i])
			}
			last := lines[5]
			if n := len(last); last[n-3] != "6" || !strings.Contains(last[n-2], "unknown_value") || last[2] != `'=HYPERLINK("x")` || last[9] != "'＝１＋１" || lines[1][11] != "" {
				t.Errorf("%q %q", last, lines[1])
			}
			if _, err := w.Batches.File(t.Context(), w.Officer, b.ID, say); !errors.Is(err, fault.New(fault.Forbidden, "batch_of_another", "")) {
				t.Errorf("error/of another: %v", err)
			}
			again := stage(t, w, w.Clerk, string(back))
			if again.Count != b.Count || again.Accepted != b.Accepted || !slices.Equal(again.Header, b.Header) {
				t.Errorf("handed in again: %+v", again)
			}
			if _, err := w.Batches.Close(t.Context(), w.Clerk, b.ID); err != nil {
				t.Error(err)
			}
			if _, err := w.Batches.File(t.Context(), w.Clerk, b.ID, say); !errors.Is(err, fault.New(fault.Conflict, "batch_closed", "")) {
				t.Errorf("error/closed: %v", err)
			}
			stage(t, w, w.Clerk, string(file)) // one that was thrown away may come again
		})
	}
}

// adr/0033: what stands in a row that cannot be read comes back with the others, and no formula.
func TestBatchFileOfBrokenRows(t *testing.T) {
	w := world.New(t, cli.Config{Data: t.TempDir()})
	b := stage(t, w, w.Clerk, header+`国内用,0000000001,桜"井,澪,1991-02-18,,,,,`+"\r\n国内用,0000000001,桜井,澪,1991-02-18,,,,,証市,=1+1,二丁目\r\n")
	for range 2 {
		back, err := w.Batches.File(t.Context(), w.Clerk, b.ID, say)
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{`"国内用","0000000001","桜""井","澪","1991-02-18",`, `"証市","3","column_count / column_count","","'=1+1","二丁目"`} {
			if !strings.Contains(string(back), want) {
				t.Errorf("no %s in %s", want, back)
			}
		}
		b = stage(t, w, w.Clerk, string(back))
	}
}

// Each row is judged by itself, and what is wrong with it is named with its column.
func TestBatchJudges(t *testing.T) {
	w := world.New(t, cli.Config{Data: t.TempDir()})
	own := w.Clerk
	own.Name = "見本 太郎"
	zone1, zone2 := "PPJPNSAKURAI<<MIO<<<<<<<<<<<<<<<<<<<<<<<<<<<", "TK00000003JPN9102181F3206308<<<<<<<<<<<<<<00"
	for name, c := range map[string]struct {
		row, column, key string
		accepted         bool
	}{
		"ok/plain":                  {"国内用,0000000001,桜井,澪,1991-02-18,,,,,", "", "", true},
		"ok/by key and in full":     {"travel,0000000001,桜井,澪,1991-02-18," + zone1 + "," + zone2 + ",self,,", "", "", true},
		"ok/proof to come":          {"国内用,0000000001,桜井,澪,1991-02-18,,,父母,証田,", "", "proof_missing", false},
		"error/kind":                {"外国用,0000000001,桜井,澪,1991-02-18,,,,,", "種類", "unknown_value", false},
		"error/zeros lost":          {"国内用,1,桜井,澪,1991-02-18,,,,,", "接種券番号", "ticket_form", false},
		"error/nobody":              {"国内用,,,,1991-02-18,,,,,", "接種券番号", "identifier_required", false},
		"error/name":                {"国内用,0000000001,桜井3,澪,1991-02-18,,,,,", "姓", "name_character", false},
		"error/no passport":         {"海外用,0000000001,桜井,澪,1991-02-18,,,,,", "", "passport_missing", false},
		"error/a passport too many": {"国内用,0000000001,桜井,澪,1991-02-18," + zone1 + "," + zone2 + ",,,", "旅券MRZ1", "not_for_domestic", false},
		"error/zone":                {"海外用,0000000001,桜井,澪,1991-02-18," + zone1 + "," + strings.Replace(zone2, "0003", "0004", 1) + ",,,", "", "passport_unreadable", false},
		"error/relationship":        {"国内用,0000000001,桜井,澪,1991-02-18,,,友人,,", "申請者", "unknown_value", false},
		"error/proxy without name":  {"国内用,0000000001,桜井,澪,1991-02-18,,,父母,,", "申請者の姓", "required", false},
		"error/own case":            {"国内用,0000000002,見本,太郎,1958-11-03,,,,,", "", "own_case", false},
		"error/cells":               {"国内用,0000000001", "", "column_count", false},
		"error/quotes":              {"国内用,\"0000000001,桜井", "", "csv_quotes", false},
	} {
		t.Run(name, func(t *testing.T) {
			b := stage(t, w, own, header+c.row+"\r\n")
			r := b.Rows[0]
			if r.Accepted != c.accepted || (c.key == "") != (len(r.Findings) == 0) {
				t.Fatalf("got %+v", r)
			}
			if c.key != "" && (r.Findings[0].Key != c.key || r.Findings[0].Column != c.column) {
				t.Errorf("got %+v", r.Findings)
			}
		})
	}
	t.Run("error/all that is wrong with a row", func(t *testing.T) {
		b := stage(t, w, own, header+"国内用,12,桜井3,澪,31.2.1991,,,,,\r\n")
		want := map[string]string{"接種券番号": "ticket_form", "姓": "name_character", "生年月日": "date"}
		got := map[string]string{}
		for _, f := range b.Rows[0].Findings {
			got[f.Column] = f.Key
		}
		if b.Rows[0].Accepted || !maps.Equal(got, want) {
			t.Errorf("got %v", got)
		}
	})
	t.Run("error/a line break in a cell", func(t *testing.T) {
		b := stage(t, w, w.Clerk, header+"国内用,0000000001,\"桜井\r\n（旧姓）\",澪,1991-02-18,,,,,\r\n国内用,\"0000000001,桜井\r\n"+"国内用,0000000003,髙橋,一郎,1984-06-30,,,,,\r\n")
		if len(b.Rows) != 3 || b.Rows[0].Findings[0].Column != "姓" || b.Rows[0].Cells[2] != "桜井\n（旧姓）" || b.Rows[1].Findings[0].Key != "csv_quotes" || !b.Rows[2].Accepted || b.Rows[2].Line != 5 {
			t.Errorf("got %+v", b.Rows)
		}
	})
	t.Run("error/twice", func(t *testing.T) {
		row := "国内用,0000000003,髙橋,一郎,1984-06-30,,,,,\r\n"
		b := stage(t, w, w.Clerk, header+row+row)
		if b.Accepted != 1 || b.Rows[1].Findings[0].Key != "batch_line_repeated" {
			t.Errorf("got %+v", b.Rows)
		}
	})
	canary := "123456789018"
	for name, c := range map[string]struct{ file, key string }{
		"error/empty":                              {" \r\n", "file_empty"},
		"error/no rows":                            {header, "file_empty"},
		"error/no kind":                            {"姓,生年月日\r\n見本,1958-11-03\r\n", "batch_header"},
		"error/a column twice":                     {"種類,kind,生年月日\r\ndomestic,domestic,1958-11-03\r\n", "batch_header"},
		"error/an unknown column":                  {"種類,生年月日,電話\r\n国内用,1958-11-03,0\r\n", "batch_header"},
		"error/individual number":                  {header + "国内用,,見本," + canary + ",1958-11-03,,,,,\r\n", "number_not_accepted_yet"},
		"error/individual number in a broken line": {header + "国内用,,\"見本\n" + canary + "\",太郎,1958-11-03,,,,,\r\n", "number_not_accepted_yet"},
		"error/utf-16":                             {"\xff\xfe" + header, "encoding_unknown"},
		"error/broken":                             {header + "国内用,\x81", "encoding_broken"},
		"error/too many":                           {header + strings.Repeat(sound[:strings.Index(sound, "\n")+1], exchange.MaxRows+1), "batch_too_many"},
		"error/too large":                          {strings.Repeat("x", exchange.MaxFile+1), "body_too_large"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := w.Batches.Stage(t.Context(), w.Clerk, []byte(c.file), "2026-11", nil)
			var f *fault.Error
			if !errors.As(err, &f) || f.Key != c.key || strings.Contains(fmt.Sprint(f.Args, err), "見本") {
				t.Errorf("got %v", err)
			}
		})
	}
	t.Run("ok/template", func(t *testing.T) {
		cells, err := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(exchange.Template(), []byte("\uFEFF")))).Read()
		if err != nil || len(cells) != 23 {
			t.Fatalf("%d columns, %v", len(cells), err)
		}
		row := make([]string, len(cells))
		row[0], row[3], row[7] = "国内用", "0000000001", "1991-02-18"
		if b := stage(t, w, w.Clerk, string(exchange.Template())+strings.Join(row, ",")); b.Accepted != 1 {
			t.Errorf("got %+v", b.Rows)
		}
	})
}

// personOf is whom the register knows by a form.
func personOf(t *testing.T, w *world.World, f application.Form) string {
	t.Helper()
	a, err := w.Applications.Get(t.Context(), w.Officer, w.ApprovedForm(t, f))
	if err != nil {
		t.Fatal(err)
	}
	return a.Record.PersonID
}

func yoshino() application.Form {
	f := world.Form(certificate.Domestic)
	f.Subject.Ticket, f.Subject.Name, f.Subject.BirthDate = "0000000004", certificate.Name{Family: "𠮷野", Given: "花子"}, "1949-01-08"
	return f
}

// S-029: more than a few rows wait for another person; what the law lets be erased is
// erased in files, too (S-076), and whatever is left after 14 days.
func TestBatchByTwoAndErased(t *testing.T) {
	world.Each(t, func(t *testing.T, w *world.World) {
		ctx, s := t.Context(), w.Batches
		var file strings.Builder
		file.WriteString(header + sound)
		for i := range exchange.FewRows {
			fmt.Fprintf(&file, "国内用,%010d,架空,人,1990-01-01,,,,,\r\n", 7000+i)
		}
		approver := w.Person(t, w.Clerk.Office+"-approver", office.Approver).Actor(actor.Certificate, "test", "", w.Clock.Now())
		b := stage(t, w, w.Clerk, file.String())
		if b, err := s.Commit(ctx, w.Clerk, b.ID, true); err != nil || b.Approval == "" || !b.StartedAt.IsZero() {
			t.Fatalf("ok/asked: %+v %v", b, err)
		}
		if _, err := s.Commit(ctx, w.Clerk, b.ID, true); !errors.Is(err, fault.New(fault.Conflict, "bulk_state", "")) {
			t.Errorf("error/asked twice: %v", err)
		}
		if _, err := s.Start(ctx, w.Clerk, b.ID); fault.CodeOf(err) != fault.Forbidden {
			t.Errorf("error/started by the same: %v", err)
		}
		own := approver
		own.Name = "桜井澪"
		if _, err := s.Start(ctx, own, b.ID); !errors.Is(err, fault.New(fault.Forbidden, "own_case", "")) {
			t.Errorf("error/the approver's own: %v", err)
		}
		if _, err := s.Start(ctx, approver, b.ID); err != nil {
			t.Fatal(err)
		}
		if n, err := s.Step(ctx, 1); n != 1 || err != nil {
			t.Fatalf("ok/step: %d %v", n, err)
		}

		// Two people of the file are erased: one whose row is an application, one whose is not.
		for _, person := range []string{personOf(t, w, world.Form(certificate.Domestic)), personOf(t, w, yoshino())} {
			w.Approve(t, office.Erase, person)
			operator := actor.Actor{Office: w.Clerk.Office, Person: "job:test", Purpose: actor.Operate, Permissions: map[string]bool{string(office.CarryOutErasure): true}}
			if _, err := w.Custody.Erase(ctx, operator, person); err != nil {
				t.Fatal(err)
			}
		}
		back, err := s.File(ctx, w.Clerk, b.ID, say)
		if err != nil || bytes.Contains(back, []byte("桜井")) || bytes.Contains(back, []byte("𠮷野")) || !bytes.Contains(back, []byte("見本")) {
			t.Errorf("ok/erased: %v %.600s", err, back)
		}
		got, err := s.Get(ctx, w.Clerk, b.ID)
		if err != nil || got.Rows[2].Fault != "not_found:erased" {
			t.Errorf("ok/erased, not tried: %+v %v", got.Rows[2], err)
		}
		clock := s.Clock
		s.Clock = func() time.Time { return clock.Now().Add(exchange.Kept + time.Hour) }
		if _, err := s.Step(ctx, 0); err != nil {
			t.Fatal(err)
		}
		s.Clock = clock
		if got, err := s.Get(ctx, w.Clerk, b.ID); err != nil || got.ClosedAt.IsZero() {
			t.Errorf("ok/closed by itself: %+v %v", got, err)
		}
		if n, err := s.Step(ctx, 10); n != 0 || err != nil {
			t.Errorf("ok/nothing after it: %d %v", n, err)
		}
	})
}

// S-076: erasing a person erases the rows about that person though one item of them is
// mistyped, or the row could not be read.
func TestBatchErasesMistyped(t *testing.T) {
	w := world.New(t, cli.Config{Data: t.TempDir()})
	ctx, head := t.Context(), "種類,接種券番号,宛名番号,姓,名,生年月日\r\n"
	for name, c := range map[string]struct {
		row   string
		stays bool
	}{
		"ok/another ticket":          {"国内用,0000000099,,桜井,澪,1991-02-18", false},
		"ok/no ticket":               {"国内用,1,,桜井,澪,1991-02-18", false},
		"ok/its own ticket":          {"国内用,０００００００００１,,桜丼,澪,1991-02-19", false},
		"ok/number":                  {"国内用,,１００００１,,,1991-02-18", false},
		"ok/quotes":                  {`国内用,0000000002,,桜"井,澪,1991-02-19`, false},
		"ok/cells":                   {"国内用,,0000000002,桜井,澪,1991-02-18,0000000001", false},
		"error/namesake":             {"国内用,0000000099,,桜井,澪,1971-02-18", true},
		"error/someone else, broken": {`国内用,0000000002,,見"本,太郎,1958-11-03`, true},
	} {
		t.Run(name, func(t *testing.T) {
			b := stage(t, w, w.Clerk, head+c.row+"\r\n")
			person := personOf(t, w, world.Form(certificate.Domestic))
			w.Approve(t, office.Erase, person)
			operator := actor.Actor{Office: w.Clerk.Office, Person: "job:test", Purpose: actor.Operate, Permissions: map[string]bool{string(office.CarryOutErasure): true}}
			if _, err := w.Custody.Erase(ctx, operator, person); err != nil {
				t.Fatal(err)
			}
			got, err := w.Batches.Get(ctx, w.Clerk, b.ID)
			if err != nil || (got.Rows[0].Fault == "not_found:erased") == c.stays {
				t.Errorf("%+v %v", got.Rows, err)
			}
			back, err := w.Batches.File(ctx, w.Clerk, b.ID, say)
			if err != nil || bytes.Contains(back, []byte("国内用")) != c.stays {
				t.Errorf("%s %v", back, err)
			}
			w.BringSamples(t)
		})
	}
}

// S-002: the role of the jobs makes applications of a file, and erases the rows of an old one.
func TestBatchByRoleOfJobs(t *testing.T) {
	d := testkit.Postgres(t)
	w := world.New(t, cli.Config{Data: t.TempDir(), DatabaseURL: cli.Secret(d.StaffURL), MigrateURL: cli.Secret(d.OwnerURL)})
	b := stage(t, w, w.Clerk, header+sound)
	if _, err := w.Batches.Commit(t.Context(), w.Clerk, b.ID, true); err != nil {
		t.Fatal(err)
	}
	jobs := w.OpenJobs(t, d)
	if n, err := jobs.Batches.Step(t.Context(), 10); n != 4 || err != nil {
		t.Errorf("made: %d %v", n, err)
	}
	clock := jobs.Batches.Clock
	jobs.Batches.Clock = func() time.Time { return clock.Now().Add(exchange.Kept + time.Hour) }
	if _, err := jobs.Batches.Step(t.Context(), 10); err != nil {
		t.Error(err)
	}
	if got, err := w.Batches.Get(t.Context(), w.Clerk, b.ID); err != nil || got.Done != 4 || got.ClosedAt.IsZero() {
		t.Errorf("%+v %v", got, err)
	}
}
