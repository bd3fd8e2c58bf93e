package torture

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"akashi/passport"
)

// person is somebody invented; everything about one differs from everybody else.
type person struct {
	ticket                  string
	family, given           string
	familyKana, givenKana   string
	familyRoman, givenRoman string
	birth                   string
	lot                     string
	passport                string
}

var families = [][3]string{
	{"森山", "モリヤマ", "MORIYAMA"}, {"高田", "タカダ", "TAKADA"}, {"中川", "ナカガワ", "NAKAGAWA"}, {"北村", "キタムラ", "KITAMURA"},
	{"山田", "ヤマダ", "YAMADA"}, {"田村", "タムラ", "TAMURA"}, {"川原", "カワハラ", "KAWAHARA"}, {"西野", "ニシノ", "NISHINO"},
	{"浜田", "ハマダ", "HAMADA"}, {"青木", "アオキ", "AOKI"}, {"石川", "イシカワ", "ISHIKAWA"}, {"上原", "ウエハラ", "UEHARA"},
	{"小川", "オガワ", "OGAWA"}, {"片山", "カタヤマ", "KATAYAMA"}, {"木村", "キムラ", "KIMURA"}, {"坂田", "サカタ", "SAKATA"},
	{"谷川", "タニガワ", "TANIGAWA"}, {"花田", "ハナダ", "HANADA"}, {"村田", "ムラタ", "MURATA"}, {"吉村", "ヨシムラ", "YOSHIMURA"},
}

var givens = [][3]string{
	{"花", "ハナ", "HANA"}, {"直樹", "ナオキ", "NAOKI"}, {"真理", "マリ", "MARI"}, {"明", "アキラ", "AKIRA"}, {"薫", "カオル", "KAORU"},
	{"渚", "ナギサ", "NAGISA"}, {"望", "ノゾミ", "NOZOMI"}, {"光", "ヒカル", "HIKARU"}, {"緑", "ミドリ", "MIDORI"}, {"誠", "マコト", "MAKOTO"},
	{"歩", "アユミ", "AYUMI"}, {"忍", "シノブ", "SHINOBU"}, {"司", "ツカサ", "TSUKASA"}, {"梓", "アズサ", "AZUSA"}, {"巴", "トモエ", "TOMOE"},
	{"実", "ミノル", "MINORU"}, {"泉", "イズミ", "IZUMI"}, {"翼", "ツバサ", "TSUBASA"}, {"操", "ミサオ", "MISAO"}, {"茜", "アカネ", "AKANE"},
}

// invent makes up to 400 people.
func invent(n int) []person {
	list := make([]person, n)
	for i := range list {
		f, g := families[i%len(families)], givens[i/len(families)%len(givens)]
		list[i] = person{
			ticket: fmt.Sprintf("70%08d", i), family: f[0], given: g[0], familyKana: f[1], givenKana: g[1], familyRoman: f[2], givenRoman: g[2],
			birth: time.Date(1950, 1, 1+37*i, 0, 0, 0, 0, time.UTC).Format(time.DateOnly), lot: fmt.Sprintf("Z%c%04d", 'A'+i%26, 1000+i),
			passport: fmt.Sprintf("TK%07d", 1000000+7*i),
		}
	}
	return list
}

func (p person) name() string { return p.family + " " + p.given }

// roman is the name as codes have it.
func (p person) roman() string { return p.familyRoman + " " + p.givenRoman }

func subjectsFile(people []person) []byte {
	var b strings.Builder
	b.WriteString("municipality_code,ticket_number,atena_number,family_name,given_name,family_kana,given_kana,birth_date,sex,status,status_date\n")
	for i, p := range people {
		fmt.Fprintf(&b, "%s,%s,%d,%s,%s,%s,%s,%s,2,resident,\n", officeCode, p.ticket, 700000+i, p.family, p.given, p.familyKana, p.givenKana, p.birth)
	}
	return []byte(b.String())
}

func recordsFile(people []person) []byte {
	var b strings.Builder
	b.WriteString("municipality_code,ticket_number,dose_number,vaccinated_on,maker,product,lot,place,doctor,origin,source_file_line,programme\n")
	for i, p := range people {
		fmt.Fprintf(&b, "%s,%s,1,2021-06-21,ファイザー,コミナティ,%s,架空会場,,ledger,%d,covid19\n", officeCode, p.ticket, p.lot, i+1)
	}
	return []byte(b.String())
}

// zone is the machine readable zone of the person's invented passport.
func (p person) zone() []string {
	first := "PPJPN" + p.familyRoman + "<<" + p.givenRoman
	first += strings.Repeat("<", 44-len(first))
	digit := func(s string) string { d, _ := passport.CheckDigit(s); return string(rune(d)) }
	number := p.passport + digit(p.passport)
	birth := strings.ReplaceAll(p.birth[2:], "-", "")
	birth += digit(birth)
	expiry := "320630" + digit("320630")
	optional := strings.Repeat("<", 14) + "0"
	return []string{first, number + "JPN" + birth + "F" + expiry + optional + digit(number+birth+expiry+optional)}
}

// application is the form that the counter sends for the person.
func (p person) application(travel bool) []byte {
	form := map[string]any{
		"kind": "domestic", "channel": "counter", "notice_version": "2026-11", "applicant": map[string]any{"relationship": "self"},
		"subject": map[string]any{"ticket_number": p.ticket, "name": map[string]any{"family": p.family, "given": p.given}, "birth_date": p.birth},
	}
	if travel {
		form["kind"] = "travel"
		form["passport"] = map[string]any{"mrz": p.zone(), "data_page_name": map[string]any{"primary": p.familyRoman, "secondary": p.givenRoman}}
	}
	b, err := json.Marshal(form)
	if err != nil {
		panic(err)
	}
	return b
}
