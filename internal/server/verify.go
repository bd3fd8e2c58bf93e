package server

import (
	"time"

	"akashi/certificate/verify"
	"akashi/internal/clock"
	"akashi/internal/fault"
)

// verifyBody is a code to be judged.
type verifyBody struct {
	Text string    `json:"text" minLength:"1" maxLength:"65536" doc:"text of a code: shc:/…, or the JSON of a VDS-NC bar code"`
	At   time.Time `json:"at,omitzero" doc:"time to judge for; now where absent"`

	Departure clock.Date `json:"departure,omitempty" maxLength:"10" doc:"day on which a journey begins, YYYY-MM-DD: judges yellow cards against polio for it"`
}

// verdictsBody is what was found. The verdicts have the published form of
// akashi verify --json; the sentences explain every code in them.
type verdictsBody struct {
	Verdicts   []verify.Verdict       `json:"verdicts"`
	Departures []verify.Facet         `json:"departures,omitempty" doc:"where a departure was given, one for each verdict: whether a dose against polio counts for it; changes no outcome"`
	Sentences  map[string]explanation `json:"sentences" doc:"by code of facet or note"`
}

// explanation is a sentence in three languages, and what to do next.
type explanation struct {
	text
	FR   string `json:"fr"`
	Next struct {
		text
		FR string `json:"fr"`
	} `json:"next"`
}

// pictureTypes are the pictures that are read.
var pictureTypes = []string{"image/png", "image/jpeg"}

// What pictures may take at once on one face, since reading one takes a processor
// for seconds and tens of megabytes at worst, and strangers may ask (S-043).
const (
	maxPictures  = 16 // being received
	eachPictures = 4  // from one address: slow ones keep no others out (S-008)
	maxReading   = 1  // being read
)

// pictures are the bounds of one face.
type pictures struct{ receiving, reading *places }

func newPictures() pictures {
	return pictures{
		newPlaces("pictures_busy", maxPictures, eachPictures), newPlaces("pictures_busy", maxReading, maxReading),
	}
}

// verifyCode judges a code, or all codes of a picture, and keeps nothing.
func (s *Server) verifyCode(c *call) (answer, error) {
	at, content, departure := s.Clock.Now(), c.body, clock.Date("")
	if c.contentType == "application/json" {
		b, err := decode[verifyBody](c)
		if err != nil {
			return answer{}, err
		}
		content = []byte(b.Text)
		if !b.At.IsZero() {
			at = b.At
		}
		departure = b.Departure
		if _, err := clock.ParseDate(string(departure)); departure != "" && (err != nil || !departure.Full()) {
			return answer{}, fault.New(fault.Invalid, "date", "departure")
		}
	}
	if len(content) == 0 {
		return answer{}, fault.New(fault.Invalid, "required", "text")
	}
	bundle, err := s.published.get(c.ctx, s.Published, s.Clock.Now())
	if err != nil {
		return answer{}, err
	}
	if c.isPicture() {
		back, err := s.pictures[c.face].reading.take(c.address, 1)
		if err != nil {
			return answer{}, err
		}
		defer back()
	}
	name := ""
	if c.contentType == cardType {
		name = "card.smart-health-card"
	}
	out := verdictsBody{Verdicts: verify.File(name, content, bundle, at), Sentences: map[string]explanation{}}
	for _, v := range out.Verdicts {
		for _, f := range v.Facets {
			out.explain(f)
		}
		for _, note := range v.Notes {
			out.explain(verify.Note(note))
		}
	}
	if departure != "" {
		out.Departures = verify.Departure(out.Verdicts, departure)
	}
	for _, f := range out.Departures {
		out.explain(f)
	}
	return value(out)
}

// explain adds the sentences of a facet. Of a code that two certificates have, that of the
// first counts: the lists of all are of one bundle.
func (b verdictsBody) explain(f verify.Facet) {
	if _, done := b.Sentences[f.Code]; done {
		return
	}
	e := explanation{text: text{f.Sentence("ja"), f.Sentence("en")}, FR: f.Sentence("fr")}
	e.Next.text, e.Next.FR = text{f.Next("ja"), f.Next("en")}, f.Next("fr")
	b.Sentences[f.Code] = e
}
