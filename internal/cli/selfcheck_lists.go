package cli

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"akashi/certificate/hcert"
	"akashi/certificate/trust"
	"akashi/certificate/verify"
)

const (
	issuancePath  = "/api/v1/issuance-log/"
	withdrawnPath = "/.well-known/dcc/"
	maxBuckets    = 256 // of an issuance log that are fetched
)

// issuanceLog checks the issuance log with the key that the operator gave out, and returns
// the directory with it: a fresh certificate has to be in it.
func (s *selfCheck) issuanceLog(b *trust.Bundle) *trust.Bundle {
	const what = "issuance log"
	if s.logKey == "" {
		s.warn(what, "not checked: --log-key FILE is its public key")
		return b
	}
	text, ok := s.fetch(what, issuancePath+"checkpoint")
	if !ok {
		return b
	}
	size, digits, ok := editionOf(string(text))
	if !ok {
		s.fail(what, "the checkpoint has no size or no buckets")
		return b
	}
	edition := issuancePath + strconv.FormatInt(size, 10) + "/"
	index, ok := s.fetch(what, edition+"index")
	if !ok {
		return b
	}
	buckets, all := map[string][]byte{}, 1<<(4*digits)
	for n := range min(all, maxBuckets) {
		number := n << (16 - 4*digits)
		name := trust.BucketName([]byte{byte(number >> 8), byte(number)}, digits)
		if buckets[name], ok = s.fetch(what, edition+name); !ok {
			return b
		}
	}
	log, err := trust.OpenIssuanceLog(s.logKey, string(text), index, buckets, b.KeyIDs())
	if err != nil {
		s.fail(what, "%v", err)
		return b
	}
	age := s.now.Sub(log.Through)
	if age > verify.LogDelay || age < -verify.ClockSkew {
		s.fail(what, "%d codes through %s, %s ago", size, log.Through.Format(time.RFC3339), age.Truncate(time.Minute))
	} else {
		s.ok(what, "%d codes through %s, %d of %d buckets", size, log.Through.Format(time.RFC3339), len(buckets), all)
	}
	return b.WithIssuances(log)
}

// editionOf finds in a checkpoint how large its log is, and how many digits name a bucket.
func editionOf(checkpoint string) (size int64, digits int, ok bool) {
	lines := strings.Split(checkpoint, "\n")
	for _, line := range lines {
		rest, found := strings.CutPrefix(line, "buckets ")
		if !found || len(lines) < 2 {
			continue
		}
		number, _, _ := strings.Cut(rest, " ")
		digits, err := strconv.Atoi(number)
		size, problem := strconv.ParseInt(lines[1], 10, 64)
		return size, digits, err == nil && problem == nil && size >= 0 && digits >= 0 && digits <= 4
	}
	return 0, 0, false
}

// withdrawn checks that the lists for verifiers of EU certificates can be read and belong together.
func (s *selfCheck) withdrawn() {
	const what = "EU lists"
	text, ok := s.fetch(what, withdrawnPath+"index.json")
	if !ok {
		return
	}
	var index []struct{ KID, Batches, Filter, Hashes string }
	if err := json.Unmarshal(text, &index); err != nil {
		s.fail(what, "the index is no list")
		return
	}
	for _, key := range index {
		s.withdrawnBy(key.KID, key.Batches, key.Filter, key.Hashes)
	}
	if len(index) == 0 {
		s.ok(what, "none has ended")
	}
}

func (s *selfCheck) withdrawnBy(kid string, names ...string) {
	const what = "EU lists"
	var files [3][]byte
	for i, name := range names {
		if strings.ContainsAny(name, "/?#%\\") {
			s.fail(what, "a file's name is not allowed")
			return
		}
		var ok bool
		if files[i], ok = s.fetch(what, withdrawnPath+name); !ok {
			return
		}
	}
	var batches []json.RawMessage
	filter, err := hcert.ParseFilter(files[1])
	hashes, problem := hcert.ParseHashList(files[2])
	if json.Unmarshal(files[0], &batches) != nil || err != nil || problem != nil {
		s.fail(what, "key %s: a file cannot be read", kid)
		return
	}
	marks := 0
	for _, text := range batches {
		b, err := hcert.ParseBatch(text)
		if err != nil {
			s.fail(what, "key %s: a batch cannot be read", kid)
			return
		}
		for _, m := range b.Marks {
			if marks++; !filter.Has(m) || !hashes.Has(m) {
				s.fail(what, "key %s: a certificate of the batches is not in the filter or the hashes", kid)
				return
			}
		}
	}
	s.ok(what, "key %s: %d ended", kid, marks)
}
