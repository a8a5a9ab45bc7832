package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	rocketmq "github.com/apache/rocketmq-client-go/v2"
	"github.com/apache/rocketmq-client-go/v2/primitive"
	"github.com/apache/rocketmq-client-go/v2/producer"
)

var transactional sync.Map

// outcomes does what a message's own properties say: `local` is the outcome of the local transaction, `check` the
// answers to the checks, joined by commas, the last one for ever. Checks are printed as events of `NAME.check`.
type outcomes struct {
	name string
}

func state(word string) primitive.LocalTransactionState {
	switch word {
	case "COMMIT":
		return primitive.CommitMessageState
	case "ROLLBACK":
		return primitive.RollbackMessageState
	}
	return primitive.UnknowState
}

func (o *outcomes) ExecuteLocalTransaction(m *primitive.Message) primitive.LocalTransactionState {
	return state(m.GetProperty("local"))
}

func (o *outcomes) CheckLocalTransaction(m *primitive.MessageExt) primitive.LocalTransactionState {
	m.Queue = &primitive.MessageQueue{Topic: m.Topic}
	line := received(m, "")
	line["event"] = "message"
	line["name"] = o.name + ".check"
	printLine(line)
	answers := strings.Split(m.GetProperty("check"), ",")
	times, _ := strconv.Atoi(m.GetProperty("TRANSACTION_CHECK_TIMES"))
	if times > len(answers) {
		times = len(answers)
	}
	return state(answers[times-1])
}

func startTransactional(c *command) (interface{}, error) {
	p, err := rocketmq.NewTransactionProducer(
		&outcomes{name: c.Name},
		producer.WithNameServer(primitive.NamesrvAddr{namesrv}),
		producer.WithGroupName(c.Group),
		producer.WithInstanceName(c.Name),
		producer.WithSendMsgTimeout(10*time.Second),
	)
	if err != nil {
		return nil, err
	}
	if err = p.Start(); err != nil {
		return nil, err
	}
	transactional.Store(c.Name, p)
	return true, nil
}

func sendInTransactions(c *command) (interface{}, error) {
	value, ok := transactional.Load(c.Name)
	if !ok {
		return nil, fmt.Errorf("no transactional producer %s", c.Name)
	}
	results := []interface{}{}
	for _, m := range toMessages(c) {
		r, err := value.(rocketmq.TransactionProducer).SendMessageInTransaction(context.Background(), m)
		if err != nil {
			return nil, err
		}
		results = append(results, toResult(r.SendResult))
	}
	return results, nil
}
