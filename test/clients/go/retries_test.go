// Package clients holds what go-retryablehttp does with the refusals of the product, by its own defaults.
package clients

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-retryablehttp"
)

// The refusals that say how long to wait; docs/decisions/0028-retry-after.md has the bound.
var waits = map[string]time.Duration{
	"window-ends-in-ten-minutes": 600 * time.Second,
	"minute-ends-in-a-minute":    60 * time.Second,
}

type denial struct {
	Name    string
	Status  int
	Headers map[string]string
	Body    string
}

func denials(t *testing.T) []denial {
	bytes, err := os.ReadFile(os.Getenv("KEYBRAKE_DENIALS"))
	if err != nil {
		t.Fatal(err)
	}
	var all []denial
	if err := json.Unmarshal(bytes, &all); err != nil {
		t.Fatal(err)
	}
	if len(all) < 100 {
		t.Fatalf("only %d refusals", len(all))
	}
	return all
}

// TestNoRefusalIsSleptOnBeyondTheBound guarantees that no single wait is longer than the bound, and that most refusals are
// not repeated at all. It notes what the client asks to sleep, and sleeps no time.
func TestNoRefusalIsSleptOnBeyondTheBound(t *testing.T) {
	atOnce := 0
	all := denials(t)
	for _, each := range all {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			for name, value := range each.Headers {
				w.Header().Set(name, value)
			}
			w.WriteHeader(each.Status)
			_, _ = w.Write([]byte(each.Body))
		}))
		client := retryablehttp.NewClient()
		client.Logger = nil
		var slept []time.Duration
		client.Backoff = func(min, max time.Duration, attempt int, response *http.Response) time.Duration {
			slept = append(slept, retryablehttp.DefaultBackoff(min, max, attempt, response))
			return 0
		}
		response, err := client.Post(server.URL, "application/json", strings.NewReader("{}"))
		if response != nil {
			_ = response.Body.Close()
		}
		server.Close()

		repeated := each.Status == 429 || (each.Status >= 500 && each.Status != 501)
		if (err != nil) != repeated || (len(slept) > 0) != repeated {
			t.Errorf("%s: %d was repeated %d times: %v", each.Name, each.Status, len(slept), err)
		}
		var told time.Duration
		for begins, wait := range waits {
			if strings.HasPrefix(each.Name, begins) {
				told = wait
			}
		}
		for _, wait := range slept {
			if told > 0 && wait != told {
				t.Errorf("%s: asked to sleep %s", each.Name, wait)
			}
			if told == 0 && wait > 8*time.Second {
				t.Errorf("%s: asked to sleep %s", each.Name, wait)
			}
		}
		if len(slept) == 0 {
			atOnce++
		}
	}
	if atOnce < len(all)/2 {
		t.Errorf("only %d of %d refusals are told at once", atOnce, len(all))
	}
}
