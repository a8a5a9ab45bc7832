// Command driver runs producers and consumers of the official Go client on command.
//
// Standard input: one JSON object a line, {"id":N,"do":verb,...}. Standard output: {"id":N,"ok":...} or
// {"id":N,"error":text} for each, in any order, and {"event":...} lines between them. The name server address is
// argument 1. End of input ends the program.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/apache/rocketmq-client-go/v2/rlog"
)

// command is every member that any verb reads.
type command struct {
	ID         int64     `json:"id"`
	Do         string    `json:"do"`
	What       string    `json:"what"`
	Name       string    `json:"name"`
	Group      string    `json:"group"`
	Topic      string    `json:"topic"`
	Mode       string    `json:"mode"`
	Threads    int       `json:"threads"`
	Size       int       `json:"size"`
	Queue      *int      `json:"queue"`
	Model      string    `json:"model"`
	From       string    `json:"from"`
	Expression string    `json:"expression"`
	Offset     int64     `json:"offset"`
	Max        int       `json:"max"`
	Orderly    bool      `json:"orderly"`
	Suspend    int       `json:"suspend"`
	Level      int       `json:"level"`
	Attempts   *int      `json:"attempts"`
	Messages   []outItem `json:"messages"`
}

var (
	namesrv  string
	outMutex sync.Mutex
	out      = bufio.NewWriterSize(os.Stdout, 1<<16)
)

func printLine(line interface{}) {
	bytes, err := json.Marshal(line)
	if err != nil {
		panic(err)
	}
	outMutex.Lock()
	defer outMutex.Unlock()
	out.Write(bytes)
	out.WriteByte('\n')
	out.Flush()
}

func answer(c *command) {
	result, err := perform(c)
	if err != nil {
		printLine(map[string]interface{}{"id": c.ID, "error": err.Error()})
		return
	}
	printLine(map[string]interface{}{"id": c.ID, "ok": result})
}

func perform(c *command) (interface{}, error) {
	switch c.Do {
	case "producer":
		return startProducer(c)
	case "send":
		return send(c)
	case "transactional":
		return startTransactional(c)
	case "sendInTransactions":
		return sendInTransactions(c)
	case "push":
		return startPush(c)
	case "filtering":
		return startFiltering(c)
	case "steered":
		return startSteered(c)
	case "pull":
		return startPull(c)
	case "ask":
		return ask(c)
	case "stop":
		return stop(c)
	}
	return nil, fmt.Errorf("unknown verb %s", c.Do)
}

func main() {
	namesrv = os.Args[1]
	rlog.SetLogLevel("fatal")
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	for {
		line, err := in.ReadBytes('\n')
		if err == io.EOF {
			return
		}
		c := &command{}
		if err := json.Unmarshal(line, c); err != nil {
			panic(err)
		}
		go answer(c)
	}
}
