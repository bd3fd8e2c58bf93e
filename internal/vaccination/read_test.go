package vaccination

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/encoding/japanese"

	"akashi/internal/clock"
	"akashi/internal/testkit"
	"akashi/internal/vault"
)

const (
	ownCode = "900001"
	today   = clock.Date("2026-11-21")

	subjectHeader = "municipality_code,ticket_number,atena_number,family_name,given_name,family_kana,given_kana,birth_date,sex,status,status_date\n"
	recordHeader  = "municipality_code,ticket_number,dose_number,vaccinated_on,maker,product,lot,place,doctor,origin,source_file_line,programme\n"
	goodSubject   = "900001,0000000001,100001,桜井,澪,サクライ,ミオ,1991-02-18,2,resident,\n"
	goodRecord    = "900001,0000000001,1,2021-06-21,ファイザー,コミナティ,ZA1001,架空会場,,ledger,1,covid19\n"
)

func layoutOf(t testing.TB, k Kind) Layout {
	t.Helper()
	l, err := LayoutFor(k)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func sample(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(testkit.Root(t), "samples", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func codes(r Report, s Severity) []string {
	var list []string
	for _, f := range r.Findings {
		if f.Severity == s {
			list = append(list, f.Code)
		}
	}
	return list
}

func TestReadSamples(t *testing.T) {
	t.Run("ok/subjects", func(t *testing.T) {
		b, r := Read(layoutOf(t, Subjects), ownCode, sample(t, "subjects.csv"), today)
		if r.Refused || r.Faults != 0 || r.Rows != 12 || r.Accepted != 12 || len(b.Subjects) != 12 || r.Encoding != UTF8 || len(r.SHA256) != 64 {
			t.Fatalf("%+v", r)
		}
		want := Subject{Ticket: "0000000005", Address: "100005", Family: "葛\U000E0100城", Given: "健", FamilyKana: "カツラギ", GivenKana: "ケン", BirthDate: "1976-09-12", Sex: Male, Status: Resident}
		if b.Subjects[4] != want || b.Lines[4] != 6 {
			t.Errorf("%+v", b.Subjects[4])
		}
		if b.Subjects[7].Family != "\uFA19田" {
			t.Errorf("compatibility form lost: %+q", b.Subjects[7].Family)
		}
		if got := codes(r, Block); !slices.Equal(got, []string{"birth_date_incomplete"}) {
			t.Errorf("doubts %v", got)
		}
	})
	t.Run("ok/cp932 equals utf-8", func(t *testing.T) {
		utf, _ := Read(layoutOf(t, Subjects), ownCode, sample(t, "subjects.csv"), today)
		old, r := Read(layoutOf(t, Subjects), ownCode, sample(t, "subjects-cp932.csv"), today)
		if r.Encoding != CP932 || r.Faults != 0 || len(old.Subjects) != 10 {
			t.Fatalf("%+v", r)
		}
		for _, s := range old.Subjects {
			if !slices.Contains(utf.Subjects, s) {
				t.Errorf("ticket %s differs", s.Ticket)
			}
		}
	})
	t.Run("ok/records", func(t *testing.T) {
		b, r := Read(layoutOf(t, Records), ownCode, sample(t, "records.csv"), today)
		if r.Refused || r.Faults != 0 || r.Accepted != 28 || len(b.Records) != 28 {
			t.Fatalf("%+v", r)
		}
		want := Record{
			Programme: "covid19", Ticket: "0000000001", DoseNumber: 3, VaccinatedOn: "2022-02-14", Maker: "モデルナ", Product: "スパイクバックス",
			Lot: "900012A", Place: "架空県証市保健センター", Origin: "ledger", SourceLine: "3",
		}
		if b.Records[2] != want {
			t.Errorf("%+v", b.Records[2])
		}
		if got := codes(r, Block); !slices.Equal(got, []string{"date_order"}) {
			t.Errorf("doubts %v", got)
		}
	})
	t.Run("error/records-bad", func(t *testing.T) {
		b, r := Read(layoutOf(t, Records), ownCode, sample(t, "records-bad.csv"), today)
		if r.Refused || r.Rows != 42 || r.Faults != 18 || r.Accepted != len(b.Records) || r.Rows != r.Accepted+r.Faults+1 {
			t.Fatalf("%+v", r)
		}
		faults := []string{"csv_quotes", "column_count", "ticket_form", "cell_empty", "cell_width", "control_character", "private_use_character", "invisible_character",
			"broken_character", "municipality_form", "municipality_check_digit", "dose_number", "date_form", "date_calendar", "programme_unknown",
			"lot_form", "line_conflict"}
		for _, c := range faults {
			if !slices.Contains(codes(r, Fault), c) {
				t.Errorf("no line shows %s", c)
			}
		}
		for _, c := range codes(r, Fault) {
			if !slices.Contains(faults, c) {
				t.Errorf("unexpected fault %s", c)
			}
		}
		for _, c := range []string{"line_repeated", "blank_trimmed", "width_folded", "date_converted", "date_past_era", "formula_start", "lot_maker", "interval_short", "maker_changed"} {
			if !slices.Contains(codes(r, Warning), c) {
				t.Errorf("no line shows %s", c)
			}
		}
		for _, c := range []string{"date_future", "date_before_programme", "date_after_programme", "date_missing", "lot_missing", "product_unknown", "maker_mismatch", "product_ambiguous",
			"product_missing", "product_not_certifiable", "product_not_yet", "date_order", "product_assumed"} {
			if !slices.Contains(codes(r, Block), c) {
				t.Errorf("no line shows %s", c)
			}
		}
	})
}

func TestReadEncodings(t *testing.T) {
	text := subjectHeader + goodSubject
	cp932, err := japanese.ShiftJIS.NewEncoder().String(text)
	if err != nil {
		t.Fatal(err)
	}
	ascii := subjectHeader + "900001,0000000007,,ARDIANSYAH,,,,1988-12-05,1,resident,\n"
	for name, c := range map[string]struct{ file, encoding string }{
		"utf-8":            {text, UTF8},
		"mark":             {"\ufeff" + text, UTF8BOM},
		"cp932":            {cp932, CP932},
		"crlf":             {strings.ReplaceAll(text, "\n", "\r\n"), UTF8},
		"ascii":            {ascii, ASCII},
		"no last newline":  {strings.TrimSuffix(text, "\n"), UTF8},
		"blank lines":      {text + "\n  \n\r\n", UTF8},
		"cp932 FA-FC rows": {strings.Replace(cp932, "\x8d\xf7\x88\xe4", "\xfb\xfc\x8b\xb4", 1), CP932}, // 髙橋 as other software writes it
	} {
		t.Run("ok/"+name, func(t *testing.T) {
			b, r := Read(layoutOf(t, Subjects), ownCode, []byte(c.file), today)
			if r.Refused || r.Encoding != c.encoding || len(b.Subjects) != 1 {
				t.Fatalf("%+v", r)
			}
			if name == "cp932 FA-FC rows" && b.Subjects[0].Family != "髙橋" {
				t.Errorf("%q", b.Subjects[0].Family)
			}
		})
	}
	for name, c := range map[string]struct{ file, code string }{
		"utf-16":                {"\xff\xfem\x00u\x00", "encoding_unknown"},
		"utf-8 with a cut rune": {strings.Replace(text, "桜", "\xe6\xa1", 1), "encoding_broken"},
		"mark, then cp932":      {"\ufeff" + cp932, "encoding_broken"},
		"utf-8, then cp932":     {text + cp932[len(subjectHeader):], "encoding_broken"},
		"no such byte":          {strings.Replace(cp932, "\x8d\xf7", "\xff\xff", 1), "encoding_broken"},
	} {
		t.Run("error/"+name, func(t *testing.T) {
			b, r := Read(layoutOf(t, Subjects), ownCode, []byte(c.file), today)
			if !r.Refused || len(b.Subjects) != 0 || len(r.Findings) != 1 || r.Findings[0].Code != c.code {
				t.Errorf("%+v", r)
			}
		})
	}
	t.Run("error/layout without cp932", func(t *testing.T) {
		l := layoutOf(t, Subjects)
		l.Encodings = []string{UTF8}
		if _, r := Read(l, ownCode, []byte(cp932), today); !r.Refused || r.Findings[0].Code != "encoding_not_accepted" {
			t.Errorf("%+v", r)
		}
	})
}

// S-038 and the rules of codes-and-files.md 6.4: what refuses the whole file.
func TestReadRefuses(t *testing.T) {
	swapped := strings.Replace(subjectHeader, "family_name,given_name", "given_name,family_name", 1)
	withNumber := strings.Replace(subjectHeader, "atena_number", "atena_number,individual_number", 1)
	for name, c := range map[string]struct {
		kind       Kind
		file, code string
		line       int
		column     string
	}{
		"empty":                    {Subjects, "", "file_empty", 0, ""},
		"blanks":                   {Subjects, " \n\n", "file_empty", 0, ""},
		"no header":                {Subjects, goodSubject, "header_wrong", 1, "municipality_code"},
		"header of another kind":   {Records, subjectHeader, "header_of_subjects", 1, "dose_number"},
		"swapped columns":          {Subjects, swapped + goodSubject, "header_wrong", 1, "family_name"},
		"column missing":           {Subjects, strings.TrimSuffix(subjectHeader, ",status_date\n") + "\n", "header_wrong", 1, "status_date"},
		"column too many":          {Subjects, strings.TrimSuffix(subjectHeader, "\n") + ",x\n", "header_wrong", 1, ""},
		"header with quote":        {Subjects, "a\"" + subjectHeader, "header_wrong", 1, "municipality_code"},
		"number column":            {Subjects, withNumber, "number_not_accepted_yet", 1, ""},
		"number column, Japanese":  {Subjects, "自治体コード,個人番号\n", "number_not_accepted_yet", 1, ""},
		"number in a name":         {Subjects, subjectHeader + "900001,0000000001,,桜井,123456789018,,,1991-02-18,2,resident,\n", "number_not_accepted_yet", 2, "given_name"},
		"number in groups":         {Subjects, subjectHeader + goodSubject + "900001,0000000002,,桜井,1234-5678-9018,,,1991-02-18,2,resident,\n", "number_not_accepted_yet", 3, "given_name"},
		"number, full width":       {Subjects, subjectHeader + "900001,0000000001,,桜井,１２３４５６７８９０１８,,,1991-02-18,2,resident,\n", "number_not_accepted_yet", 2, "given_name"},
		"number as address number": {Subjects, subjectHeader + "900001,0000000001,123456789018,桜井,澪,,,1991-02-18,2,resident,\n", "number_not_accepted_yet", 2, ""},
		"number in a broken line":  {Subjects, subjectHeader + "900001,0000000001,\"x,123456789018,\n", "number_not_accepted_yet", 2, ""},
		"number in an extra cell":  {Subjects, subjectHeader + strings.TrimSuffix(goodSubject, "\n") + ",123456789018\n", "number_not_accepted_yet", 2, ""},
		"number as place":          {Records, recordHeader + strings.Replace(goodRecord, "架空会場", "会場 123456789018", 1), "number_not_accepted_yet", 2, "place"},
		"number in a long line":    {Records, recordHeader + strings.Repeat("x", maxLine) + ",123456789018\n", "number_not_accepted_yet", 2, ""},
		"other municipality":       {Subjects, subjectHeader + goodSubject + strings.Replace(goodSubject, "900001", "082210", 1), "municipality_foreign", 3, "municipality_code"},
	} {
		t.Run("error/"+name, func(t *testing.T) {
			b, r := Read(layoutOf(t, c.kind), ownCode, []byte(c.file), today)
			if !r.Refused || r.Accepted != 0 || len(b.Subjects)+len(b.Records)+len(b.Lines) != 0 {
				t.Fatalf("not refused: %+v", r)
			}
			if want := (Line{c.line, c.column, c.code, Refusal}); len(r.Findings) != 1 || r.Findings[0] != want {
				t.Errorf("%+v, want %+v", r.Findings, want)
			}
		})
	}
}

// One in eleven address numbers of twelve digits passes the check digit of an
// individual number by chance; such a file is no file of individual numbers.
func TestReadAddressNumbersOfTwelveDigits(t *testing.T) {
	var b strings.Builder
	b.WriteString(subjectHeader)
	hits := 0
	for i := range 200 {
		n := fmt.Sprintf("%012d", 100_000_000_000+i)
		if vault.Valid(n) {
			hits++
		}
		fmt.Fprintf(&b, "900001,%010d,%s,桜井,澪%c,,,1991-02-18,2,resident,\n", i, n, '一'+rune(i))
	}
	_, r := Read(layoutOf(t, Subjects), ownCode, []byte(b.String()), today)
	if hits < 10 || r.Refused || r.Accepted != 200 {
		t.Errorf("%d of 200 pass by chance; %+v", hits, r)
	}
}

// threats-and-protection.md 4: limits act before parsing.
func TestReadLimits(t *testing.T) {
	l := layoutOf(t, Records)
	for name, c := range map[string]struct {
		file []byte
		code string
	}{
		"51 MB":        {bytes.Repeat([]byte("x"), maxFile+1), "file_too_large"},
		"200,001 rows": {[]byte(recordHeader + strings.Repeat("x\n", maxRows+1)), "file_too_many_rows"},
		"line of 1 MB": {bytes.Repeat([]byte(","), 1<<20), "header_wrong"},
	} {
		t.Run("error/"+name, func(t *testing.T) {
			if _, r := Read(l, ownCode, c.file, today); !r.Refused || r.Findings[0].Code != c.code {
				t.Errorf("%+v", r)
			}
		})
	}
	t.Run("error/cells", func(t *testing.T) {
		file := recordHeader + goodRecord +
			strings.Replace(goodRecord, "架空会場", strings.Repeat("x", maxCell+1), 1) +
			strings.Repeat(",", maxLine+1) + "\n" +
			strings.Repeat(",", 70) + "\n" + strings.Replace(goodRecord, ",1,2021", ",2,2021", 1)
		b, r := Read(l, ownCode, []byte(file), today)
		if got := codes(r, Fault); !slices.Equal(got, []string{"cell_too_large", "line_too_long", "column_count"}) || len(b.Records) != 2 {
			t.Errorf("%v, %d records", got, len(b.Records))
		}
	})
	t.Run("ok/findings are counted, not piled up", func(t *testing.T) {
		_, r := Read(l, ownCode, []byte(recordHeader+strings.Repeat("x\n", 5_000)), today)
		if len(r.Findings) != maxFindings || r.Unlisted != 4_000 || r.Faults != 5_000 || r.Rows != 5_000 {
			t.Errorf("%d listed, %d unlisted, %d faults", len(r.Findings), r.Unlisted, r.Faults)
		}
	})
	t.Run("ok/200,000 rows", func(t *testing.T) {
		var b strings.Builder
		b.WriteString(recordHeader)
		for i := range maxRows {
			fmt.Fprintf(&b, "900001,%010d,1,2021-06-21,ファイザー,コミナティ,ZA1001,,,,,covid19\n", i)
		}
		if batch, r := Read(l, ownCode, []byte(b.String()), today); r.Refused || len(batch.Records) != maxRows || len(r.Findings) != 0 {
			t.Errorf("%+v", r)
		}
	})
}

// An open quotation mark spoils its line and swallows no other.
func TestReadQuotes(t *testing.T) {
	line := func(ticket, place string) string {
		return strings.NewReplacer("0000000001", ticket, "架空会場", place).Replace(goodRecord)
	}
	file := recordHeader + line("0000000001", `"架空,""第一""会場"`) + line("0000000002", `"架空`) + line("0000000003", `会場"`) + line("0000000004", `"a"b`) + line("0000000005", `会場`)
	b, r := Read(layoutOf(t, Records), ownCode, []byte(file), today)
	if len(b.Records) != 2 || b.Records[0].Place != `架空,"第一"会場` || b.Records[1].Ticket != "0000000005" || b.Lines[1] != 6 {
		t.Errorf("%+v", b)
	}
	want := []Line{{3, "", "csv_quotes", Fault}, {4, "", "csv_quotes", Fault}, {5, "", "csv_quotes", Fault}}
	if !slices.Equal(r.Findings, want) {
		t.Errorf("%+v", r.Findings)
	}
}

func TestReadDuplicates(t *testing.T) {
	second := strings.NewReplacer("0000000001", "0000000002", "澪", "凪").Replace(goodSubject)
	changed := strings.Replace(goodSubject, "澪", "渚", 1)
	t.Run("ok/same line twice", func(t *testing.T) {
		b, r := Read(layoutOf(t, Subjects), ownCode, []byte(subjectHeader+goodSubject+goodSubject), today)
		if len(b.Subjects) != 1 || !slices.Contains(codes(r, Warning), "line_repeated") || r.Faults != 0 {
			t.Errorf("%+v", r)
		}
	})
	t.Run("error/same ticket, other content", func(t *testing.T) {
		b, r := Read(layoutOf(t, Subjects), ownCode, []byte(subjectHeader+goodSubject+second+changed+goodSubject), today)
		if len(b.Subjects) != 1 || b.Subjects[0].Ticket != "0000000002" || !slices.Equal(b.Lines, []int{3}) || r.Accepted != 1 || r.Faults != 3 {
			t.Errorf("%+v %+v", b, r)
		}
	})
	t.Run("ok/only the source line differs", func(t *testing.T) {
		b, r := Read(layoutOf(t, Records), ownCode, []byte(recordHeader+goodRecord+strings.Replace(goodRecord, "ledger,1", "ledger,2", 1)), today)
		if len(b.Records) != 1 || r.Faults != 0 {
			t.Errorf("%+v", r)
		}
	})
	t.Run("ok/one person twice, one address number for two", func(t *testing.T) {
		again := strings.Replace(goodSubject, "0000000001", "0000000003", 1)
		other := "900001,0000000004,100001,森,翠,,,1980-01-01,1,resident,\n"
		_, r := Read(layoutOf(t, Subjects), ownCode, []byte(subjectHeader+goodSubject+again+other), today)
		if got := codes(r, Warning); !slices.Equal(got, []string{"person_twice", "address_shared"}) {
			t.Errorf("%v", got)
		}
	})
}

func TestReadCells(t *testing.T) {
	subject := func(old, new string) string { return subjectHeader + strings.Replace(goodSubject, old, new, 1) }
	t.Run("ok/dates", func(t *testing.T) {
		for in, want := range map[string]clock.Date{
			"1991/2/18": "1991-02-18", "19910218": "1991-02-18", "平成3年2月18日": "1991-02-18", "H3.2.18": "1991-02-18", "１９９１－０２－１８": "1991-02-18",
			"1991-02": "1991-02", "1991": "1991", "1991-02-00": "1991-02", "1991-00-00": "1991", "19910200": "1991-02", "": "",
		} {
			b, r := Read(layoutOf(t, Subjects), ownCode, []byte(subject("1991-02-18", in)), today)
			if len(b.Subjects) != 1 || b.Subjects[0].BirthDate != want {
				t.Errorf("%q: %+v %+v", in, b.Subjects, r.Findings)
			}
		}
	})
	for in, code := range map[string]string{
		"1991-02-30": "date_calendar", "1991-13": "date_form", "199102": "date_form", "18.2.1991": "date_form", "2100-01-01": "birth_date_impossible",
		"1850-01-01": "birth_date_impossible", "2100": "birth_date_impossible", "19910230": "date_calendar", "1991-2-18-1": "date_form", "昨日": "date_form",
	} {
		t.Run("error/birth date "+in, func(t *testing.T) {
			b, r := Read(layoutOf(t, Subjects), ownCode, []byte(subject("1991-02-18", in)), today)
			got := codes(r, Fault)
			if code == "date_form" && slices.Equal(got, []string{"date_calendar"}) {
				got = []string{"date_form"} // both say that it cannot be read
			}
			if len(b.Subjects) != 0 || !slices.Equal(got, []string{code}) {
				t.Errorf("%+v", r.Findings)
			}
		})
	}
	t.Run("ok/1900 is doubtful", func(t *testing.T) {
		b, r := Read(layoutOf(t, Subjects), ownCode, []byte(subject("1991-02-18", "1900-01-01")), today)
		if len(b.Subjects) != 1 || !slices.Contains(codes(r, Warning), "birth_date_old") {
			t.Errorf("%+v", r)
		}
	})
	for _, c := range [][3]string{
		{",2,resident", ",3,resident", "sex_code"}, {"resident", "here", "status_code"}, {"桜井", "", "cell_empty"}, {"桜井", "=桜井", "name_character"},
		{"桜井", "〓井", "name_character"}, {"桜井", "\ue000井", "private_use_character"}, {"桜井", "桜\u200d井", "invisible_character"}, {"100001", strings.Repeat("1", 21), "cell_width"},
		{"桜井", "\ufeff桜井", "invisible_character"}, {"ミオ", "ミオ1", "name_character"},
	} {
		t.Run("error/"+c[2], func(t *testing.T) {
			if _, r := Read(layoutOf(t, Subjects), ownCode, []byte(subject(c[0], c[1])), today); !slices.Equal(codes(r, Fault), []string{c[2]}) {
				t.Errorf("%+v", r.Findings)
			}
		})
	}
}

// No report holds anything of a person, whatever the file holds.
func TestReportHoldsNoValue(t *testing.T) {
	for _, name := range []string{"subjects.csv", "records-bad.csv"} {
		kind := Subjects
		if name != "subjects.csv" {
			kind = Records
		}
		_, r := Read(layoutOf(t, kind), ownCode, sample(t, name), today)
		text, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		for _, value := range []string{"桜井", "1991", "00000000", "ZA1001", "架空"} {
			if bytes.Contains(text, []byte(value)) {
				t.Errorf("%s: report holds %q", name, value)
			}
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, name := range []string{"subjects.csv", "subjects-cp932.csv", "records.csv", "records-bad.csv"} {
		f.Add(sample(f, name), name != "subjects.csv")
	}
	f.Add([]byte(subjectHeader+"900001,0000000001,123456789018\n"), false)
	f.Fuzz(func(t *testing.T, file []byte, records bool) {
		kind := Subjects
		if records {
			kind = Records
		}
		b, r := Read(layoutOf(t, kind), ownCode, file, today)
		if n := len(b.Subjects) + len(b.Records); n != len(b.Lines) || n != r.Accepted || r.Refused && n > 0 || r.Accepted+r.Faults > r.Rows {
			t.Fatalf("%+v", r)
		}
		for _, s := range b.Subjects {
			if CheckName(s.Family) != nil || vault.Find(s.Family+" "+s.Given) > 0 || len(s.Ticket) != 10 {
				t.Errorf("taken: %#v", s)
			}
		}
		for _, d := range b.Records {
			if len(d.Ticket) != 10 || d.DoseNumber < 1 || d.VaccinatedOn != "" && !d.VaccinatedOn.Full() || CheckText(d.Place) != nil {
				t.Errorf("taken: %#v", d)
			}
		}
	})
}
