using Assay.Analyzer.Database;

namespace Assay.Analyzer.AnalyzeAnswers;

/// <summary>
/// Readers of the panels that are answered now, by plan, at most 200. A panel never changes once it is planned, and its batches arrive within
/// seconds of one another; making a reader parses request and plan and compiles every name.
/// </summary>
sealed class ReaderMemory() : BriefMemory<BatchReader>(limit: 200, TimeSpan.FromMinutes(5));
