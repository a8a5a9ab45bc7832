package main

import (
	"context"
	"fmt"
	"sync"

	rocketmq "github.com/apache/rocketmq-client-go/v2"
	"github.com/apache/rocketmq-client-go/v2/consumer"
	"github.com/apache/rocketmq-client-go/v2/primitive"
)

// consuming is one consumer: push or pull is nil.
type consuming struct {
	push  rocketmq.PushConsumer
	pull  rocketmq.PullConsumer
	topic string

	mutex    sync.Mutex
	assigned []*primitive.MessageQueue
}

var consumers sync.Map

func options(c *command) []consumer.Option {
	model := consumer.Clustering
	if c.Model == "BROADCASTING" {
		model = consumer.BroadCasting
	}
	from := consumer.ConsumeFromFirstOffset
	if c.From == "CONSUME_FROM_LAST_OFFSET" {
		from = consumer.ConsumeFromLastOffset
	}
	return []consumer.Option{
		consumer.WithNameServer(primitive.NamesrvAddr{namesrv}),
		consumer.WithGroupName(c.Group),
		consumer.WithInstance(c.Name),
		consumer.WithConsumerModel(model),
		consumer.WithConsumeFromWhere(from),
	}
}

func received(m *primitive.MessageExt, brokerName string) map[string]interface{} {
	return map[string]interface{}{
		"topic": m.Topic, "brokerName": brokerName, "queueId": m.Queue.QueueId, "queueOffset": m.QueueOffset,
		"msgId": m.MsgId, "offsetMsgId": m.OffsetMsgId, "body": m.Body, "tags": orNil(m.GetTags()), "keys": orNil(m.GetKeys()),
		"properties": m.GetProperties(), "reconsumeTimes": m.ReconsumeTimes, "sysFlag": m.SysFlag,
		"bornTimestamp": m.BornTimestamp, "storeTimestamp": m.StoreTimestamp,
	}
}

func orNil(text string) interface{} {
	if text == "" {
		return nil
	}
	return text
}

func startPush(c *command) (interface{}, error) {
	this := &consuming{topic: c.Topic}
	remember := func(group, clientID string, queues []*primitive.MessageQueue, clients []string) []*primitive.MessageQueue {
		result := consumer.AllocateByAveragely(group, clientID, queues, clients)
		if len(queues) > 0 && queues[0].Topic == c.Topic {
			this.mutex.Lock()
			this.assigned = result
			this.mutex.Unlock()
		}
		return result
	}
	push, err := rocketmq.NewPushConsumer(append(options(c), consumer.WithStrategy(remember))...)
	if err != nil {
		return nil, err
	}
	selector := consumer.MessageSelector{Type: consumer.TAG, Expression: c.Expression}
	name := c.Name
	err = push.Subscribe(c.Topic, selector, func(_ context.Context, messages ...*primitive.MessageExt) (consumer.ConsumeResult, error) {
		for _, m := range messages {
			line := received(m, m.Queue.BrokerName)
			line["event"] = "message"
			line["name"] = name
			printLine(line)
		}
		return consumer.ConsumeSuccess, nil
	})
	if err != nil {
		return nil, err
	}
	if err = push.Start(); err != nil {
		return nil, err
	}
	this.push = push
	consumers.Store(c.Name, this)
	return map[string]string{"clientId": ""}, nil
}

func startPull(c *command) (interface{}, error) {
	pull, err := rocketmq.NewPullConsumer(options(c)...)
	if err != nil {
		return nil, err
	}
	if err = pull.Subscribe(c.Topic, consumer.MessageSelector{Type: consumer.TAG, Expression: c.Expression}); err != nil {
		return nil, err
	}
	if err = pull.Start(); err != nil {
		return nil, err
	}
	consumers.Store(c.Name, &consuming{pull: pull, topic: c.Topic})
	return map[string]string{"clientId": ""}, nil
}

var pullStatusNames = map[primitive.PullStatus]string{
	primitive.PullFound: "FOUND", primitive.PullNoNewMsg: "NO_NEW_MSG",
	primitive.PullNoMsgMatched: "NO_MATCHED_MSG", primitive.PullOffsetIllegal: "OFFSET_ILLEGAL",
}

func ask(c *command) (interface{}, error) {
	value, ok := consumers.Load(c.Name)
	if !ok {
		return nil, fmt.Errorf("no consumer %s", c.Name)
	}
	this := value.(*consuming)
	switch c.What {
	case "queues":
		return this.queues(), nil
	case "pull":
		return this.pullFrom(c)
	}
	return nil, fmt.Errorf("unknown question %s", c.What)
}

func (this *consuming) queues() [][]interface{} {
	this.mutex.Lock()
	defer this.mutex.Unlock()
	queues := [][]interface{}{}
	for _, queue := range this.assigned {
		queues = append(queues, []interface{}{queue.BrokerName, queue.QueueId})
	}
	return queues
}

func (this *consuming) pullFrom(c *command) (interface{}, error) {
	queue := &primitive.MessageQueue{Topic: this.topic, BrokerName: c.Mode, QueueId: *c.Queue}
	result, err := this.pull.PullFrom(context.Background(), queue, c.Offset, c.Max)
	if err != nil {
		return nil, err
	}
	messages := []interface{}{}
	for _, m := range result.GetMessageExts() {
		if m.Queue == nil {
			m.Queue = queue
		}
		messages = append(messages, received(m, queue.BrokerName))
	}
	return map[string]interface{}{
		"status": pullStatusNames[result.Status], "next": result.NextBeginOffset, "min": result.MinOffset,
		"max": result.MaxOffset, "messages": messages,
	}, nil
}

func stop(c *command) (interface{}, error) {
	if p, ok := producers.LoadAndDelete(c.Name); ok {
		return true, p.(rocketmq.Producer).Shutdown()
	}
	value, ok := consumers.LoadAndDelete(c.Name)
	if !ok {
		return nil, fmt.Errorf("no client %s", c.Name)
	}
	if this := value.(*consuming); this.push != nil {
		return true, this.push.Shutdown()
	}
	return true, value.(*consuming).pull.Shutdown()
}
