package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	rocketmq "github.com/apache/rocketmq-client-go/v2"
	"github.com/apache/rocketmq-client-go/v2/primitive"
	"github.com/apache/rocketmq-client-go/v2/producer"
)

const asyncInFlight = 256

// outItem is a message as the commanding side writes it; Body is base64 in JSON.
type outItem struct {
	Body       []byte            `json:"body"`
	Tags       string            `json:"tags"`
	Keys       string            `json:"keys"`
	Properties map[string]string `json:"properties"`
	Level      int               `json:"level"`
}

var producers sync.Map

func startProducer(c *command) (interface{}, error) {
	p, err := rocketmq.NewProducer(
		producer.WithNameServer(primitive.NamesrvAddr{namesrv}),
		producer.WithGroupName(c.Group),
		producer.WithInstanceName(c.Name),
		producer.WithSendMsgTimeout(10*time.Second),
		producer.WithQueueSelector(&pinned{otherwise: producer.NewRoundRobinQueueSelector()}),
	)
	if err != nil {
		return nil, err
	}
	if err = p.Start(); err != nil {
		return nil, err
	}
	producers.Store(c.Name, p)
	return map[string]string{"clientId": ""}, nil
}

// pinned takes the queue that a message names and leaves the rest to the client's own rotation.
type pinned struct {
	otherwise producer.QueueSelector
}

func (s *pinned) Select(m *primitive.Message, queues []*primitive.MessageQueue, last string) *primitive.MessageQueue {
	if m.Queue == nil {
		return s.otherwise.Select(m, queues, last)
	}
	for _, queue := range queues {
		if queue.QueueId == m.Queue.QueueId {
			return queue
		}
	}
	return nil
}

func toMessages(c *command) []*primitive.Message {
	messages := make([]*primitive.Message, len(c.Messages))
	for i, item := range c.Messages {
		m := primitive.NewMessage(c.Topic, item.Body)
		if item.Tags != "" {
			m.WithTag(item.Tags)
		}
		if item.Keys != "" {
			m.WithKeys(strings.Split(item.Keys, " "))
		}
		for name, value := range item.Properties {
			m.WithProperty(name, value)
		}
		if item.Level != 0 {
			m.WithDelayTimeLevel(item.Level)
		}
		if c.Queue != nil {
			m.Queue = &primitive.MessageQueue{Topic: c.Topic, QueueId: *c.Queue}
		}
		messages[i] = m
	}
	return messages
}

var statusNames = map[primitive.SendStatus]string{
	primitive.SendOK:                "SEND_OK",
	primitive.SendFlushDiskTimeout:  "FLUSH_DISK_TIMEOUT",
	primitive.SendFlushSlaveTimeout: "FLUSH_SLAVE_TIMEOUT",
	primitive.SendSlaveNotAvailable: "SLAVE_NOT_AVAILABLE",
}

// A batch has no identifiers of the client: this client gives its parts none.
func toResult(r *primitive.SendResult) []interface{} {
	return []interface{}{statusNames[r.Status], orNil(r.MsgID), r.OffsetMsgID, r.MessageQueue.BrokerName, r.MessageQueue.QueueId, r.QueueOffset}
}

func send(c *command) (interface{}, error) {
	value, ok := producers.Load(c.Name)
	if !ok {
		return nil, fmt.Errorf("no producer %s", c.Name)
	}
	p := value.(rocketmq.Producer)
	messages := toMessages(c)
	switch c.Mode {
	case "sync":
		return sendSync(p, messages, c.Threads)
	case "async":
		return sendAsync(p, messages)
	case "oneway":
		for _, m := range messages {
			if err := p.SendOneWay(context.Background(), m); err != nil {
				return nil, err
			}
		}
		return []interface{}{}, nil
	case "batch":
		return sendBatch(p, messages, c.Size)
	}
	return nil, fmt.Errorf("unknown mode %s", c.Mode)
}

func sendSync(p rocketmq.Producer, messages []*primitive.Message, threads int) (interface{}, error) {
	results := make([]interface{}, len(messages))
	failures := make([]error, threads)
	var group sync.WaitGroup
	for t := 0; t < threads; t++ {
		group.Add(1)
		go func(t int) {
			defer group.Done()
			for i := t; i < len(messages); i += threads {
				r, err := p.SendSync(context.Background(), messages[i])
				if err != nil {
					failures[t] = err
					return
				}
				results[i] = toResult(r)
			}
		}(t)
	}
	group.Wait()
	return results, errors.Join(failures...)
}

func sendAsync(p rocketmq.Producer, messages []*primitive.Message) (interface{}, error) {
	results := make([]interface{}, len(messages))
	failures := make([]error, len(messages))
	room := make(chan struct{}, asyncInFlight)
	var group sync.WaitGroup
	for i, m := range messages {
		i := i
		room <- struct{}{}
		group.Add(1)
		err := p.SendAsync(context.Background(), func(_ context.Context, r *primitive.SendResult, err error) {
			if err != nil {
				failures[i] = err
			} else {
				results[i] = toResult(r)
			}
			<-room
			group.Done()
		}, m)
		if err != nil {
			return nil, err
		}
	}
	group.Wait()
	return results, errors.Join(failures...)
}

func sendBatch(p rocketmq.Producer, messages []*primitive.Message, size int) (interface{}, error) {
	results := []interface{}{}
	for i := 0; i < len(messages); i += size {
		end := i + size
		if end > len(messages) {
			end = len(messages)
		}
		r, err := p.SendSync(context.Background(), messages[i:end]...)
		if err != nil {
			return nil, err
		}
		results = append(results, toResult(r))
	}
	return results, nil
}
