namespace Assay.Contracts.Internal.LlmGateway;

/// <summary>
/// How much a batch may hold, so that the largest <see cref="EngineAnswered"/> it can become stays below what the broker takes
/// (<c>max_message_size</c> in <c>deploy/rabbitmq/rabbitmq.conf</c>, 64 MiB). A longer message would be parked, and its audit would stall.
/// </summary>
public static class BatchBounds
{
    /// <summary>Panel questions in a batch, at most.</summary>
    public const int MaxQuestions = 100;

    /// <summary>Answers that are judged in one batch, at most.</summary>
    public const int MaxJudged = 500;

    /// <summary>Questions in a batch, at most.</summary>
    /// <param name="purpose">One of <see cref="Purposes"/>.</param>
    public static int MostQuestions(string purpose) => purpose == Purposes.Judge ? MaxJudged : MaxQuestions;

    /// <summary>What one answer, text and sources, may take in a message, in bytes of JSON.</summary>
    /// <param name="purpose">One of <see cref="Purposes"/>: judgements are short, and many to a batch.</param>
    public static int MaxAnswerBytes(string purpose) => purpose == Purposes.Judge ? 64 << 10 : 512 << 10;
}
