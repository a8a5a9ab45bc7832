package main

import (
	"context"

	rocketmq "github.com/apache/rocketmq-client-go/v2"
	"github.com/apache/rocketmq-client-go/v2/consumer"
	"github.com/apache/rocketmq-client-go/v2/primitive"
)

// startFiltering starts a push consumer that selects messages by an SQL92 expression.
func startFiltering(c *command) (interface{}, error) {
	push, err := rocketmq.NewPushConsumer(options(c)...)
	if err != nil {
		return nil, err
	}
	name := c.Name
	selector := consumer.MessageSelector{Type: consumer.SQL92, Expression: c.Expression}
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
	consumers.Store(c.Name, &consuming{push: push, topic: c.Topic})
	return map[string]string{}, nil
}
