package verify

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"strconv"
	"time"
)

// ages.json says for how long a list counts, by its kind: what is not on an older one may
// have been withdrawn since, and the status is unknown. An entry holds from its date on.
// Lists that state when the next one is due (crl) count until then instead.
//
//go:embed ages.json
var agesJSON []byte

type ageLimit struct {
	Kind  string `json:"kind"`
	Hours int    `json:"hours"`
	From  string `json:"from"` // YYYY-MM-DD
	Why   string `json:"why"`
}

var ageLimits = func() (list []ageLimit) {
	if err := json.Unmarshal(agesJSON, &list); err != nil {
		panic("verify: ages.json: " + err.Error())
	}
	return list
}()

// MaxAge returns for how long a list of a kind (trust.Entry) counts, by the limits that
// hold at a time; before the first, the first. False: there is no limit.
func MaxAge(kind string, at time.Time) (limit time.Duration, limited bool) {
	day := at.UTC().Format(time.DateOnly)
	for _, l := range ageLimits { // in order of their dates
		if l.Kind == kind && (l.From <= day || !limited) {
			limit, limited = time.Duration(l.Hours)*time.Hour, true
		}
	}
	return limit, limited
}

// units in which an age is told, largest first: one, and more of them.
var units = []struct {
	size       time.Duration
	ja, en, fr [2]string
}{
	{24 * time.Hour, [2]string{"日", "日"}, [2]string{" day", " days"}, [2]string{" jour", " jours"}},
	{time.Hour, [2]string{"時間", "時間"}, [2]string{" hour", " hours"}, [2]string{" heure", " heures"}},
	{time.Minute, [2]string{"分", "分"}, [2]string{" minute", " minutes"}, [2]string{" minute", " minutes"}},
}

// Age tells a duration in whole units of the largest that is in it twice (days, hours, minutes),
// such as "3 days", in a language of Languages.
func Age(d time.Duration, language string) string {
	d = max(d, 0)
	u := units[len(units)-1]
	for _, larger := range units {
		if d >= 2*larger.size {
			u = larger
			break
		}
	}
	n := int(d / u.size)
	words := map[string][2]string{"ja": u.ja, "en": u.en, "fr": u.fr}[language]
	many := n != 1
	if language == "fr" {
		many = n > 1
	}
	if many {
		return strconv.Itoa(n) + words[1]
	}
	return strconv.Itoa(n) + words[0]
}

// ageDetail are the members of a facet's detail that tell how old a list is.
func (x *examination) ageDetail(made time.Time) []string {
	return []string{"list_made_at", made.Format(time.RFC3339), "list_age", max(x.at.Sub(made), 0).Truncate(time.Minute).String()}
}

// checkListAge says of a revocation facet that is ok how old the list is on which it rests;
// past the limit of its kind the status is unknown. A list without a date cannot be judged so.
func (x *examination) checkListAge(kind string, made time.Time) {
	f := x.verdict.Facet(Revocation)
	if f.Result != OK || made.IsZero() {
		return
	}
	detail := x.ageDetail(made)
	for name, value := range f.Detail {
		detail = append(detail, name, value)
	}
	if limit, limited := MaxAge(kind, x.at); limited && x.at.Sub(made) > limit {
		x.set(Revocation, Unknown, StatusUnknown, append(detail, "list", kind, "limit", fmt.Sprintf("%dh", int(limit.Hours())))...)
		return
	}
	x.set(Revocation, OK, f.Code, detail...)
}
