package office

import (
	"crypto/sha256"
	"encoding/hex"
	"time"
)

// Reminder tells staff that what they do is recorded and for duty only; nobody
// signs in who has not read it.
type Reminder struct{ JA, EN string }

// DutyReminder is what is read at present.
var DutyReminder = Reminder{
	JA: "操作は記録されます。業務以外に使わないでください。自分や同じ世帯の人の申請は、ほかの職員に任せてください。",
	EN: "What is done here is recorded. Use it for your duty only. Leave applications of yourself and of your household to others.",
}

// remindEvery is how long having read it counts (R-168, "regularly") [P].
const remindEvery = 90 * 24 * time.Hour

// Version names the text; another text has another one.
func (r Reminder) Version() string {
	sum := sha256.Sum256([]byte(r.JA + "\n" + r.EN))
	return hex.EncodeToString(sum[:6])
}

// due tells whether the person has to read it at this sign-in.
func (r Reminder) due(s Staff, now time.Time) bool {
	return s.Reminder != r.Version() || now.Sub(s.RemindedAt) >= remindEvery
}
