namespace Pillarbox.Protocols.Amqp.Wire;

// Part 3 sections 3.5.10 to 3.5.13: lists without fields, values of the lifetime-policy key of node-properties.
//
//  0x2b  amqp:delete-on-close:list
//  0x2c  amqp:delete-on-no-links:list
//  0x2d  amqp:delete-on-no-messages:list
//  0x2e  amqp:delete-on-no-links-or-messages:list

/// <summary>The node goes when the link that made it goes.</summary>
[AmqpList(0x2b, "amqp:delete-on-close:list")]
public readonly partial record struct DeleteOnClose;

/// <summary>The node goes when no link is left.</summary>
[AmqpList(0x2c, "amqp:delete-on-no-links:list")]
public readonly partial record struct DeleteOnNoLinks;

/// <summary>The node goes when the link that made it is gone and no message is left.</summary>
[AmqpList(0x2d, "amqp:delete-on-no-messages:list")]
public readonly partial record struct DeleteOnNoMessages;

/// <summary>The node goes when neither a link nor a message is left.</summary>
[AmqpList(0x2e, "amqp:delete-on-no-links-or-messages:list")]
public readonly partial record struct DeleteOnNoLinksOrMessages;
