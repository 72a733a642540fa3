namespace Assay.Analyzer.ReadAnswer;

/// <summary>
/// Finds the lists of products in an answer and gives every entry its place. A list counts as a list of products when at
/// least one entry is headed by a known name; later lists go on counting where earlier ones stopped.
/// </summary>
internal sealed class ProductLists
{
    private const int HeadWords = 8;
    private const int HeadCharacters = 90;

    private readonly int[] _groupOfBlock;
    private readonly int[] _positionInGroup;
    private readonly List<Group> _groups = [];

    private ProductLists(int blocks)
    {
        _groupOfBlock = new int[blocks];
        _positionInGroup = new int[blocks];
        Array.Fill(_groupOfBlock, -1);
    }

    private sealed class Group
    {
        public int Level;
        public int Count;
        public int LastOrdinal;
        public bool Ordered;
        public bool IsProducts;
        public int Offset;
        public int Index;
    }

    public static ProductLists Find(VisibleText text, IEnumerable<NameMatch> accepted)
    {
        var lists = new ProductLists(text.Blocks.Count);
        lists.GroupBlocks(text);
        foreach (var match in accepted)
        {
            if (lists._groupOfBlock[match.Block] is >= 0 and var group && IsHead(text, text.Blocks[match.Block], match.Start))
                lists._groups[group].IsProducts = true;
        }

        var offset = 0;
        foreach (var group in lists._groups)
        {
            if (!group.IsProducts)
                continue;
            group.Offset = offset;
            offset += group.Count;
        }

        return lists;
    }

    /// <summary>Blocks that are entries of product lists, in order of the text.</summary>
    public IEnumerable<int> EntryBlocks()
    {
        for (var block = 0; block < _groupOfBlock.Length; block++)
        {
            if (_groupOfBlock[block] is >= 0 and var group && _groups[group].IsProducts)
                yield return block;
        }
    }

    /// <summary>The place of the entry a name heads, counted over all product lists; null when it heads none.</summary>
    public int? PlaceOf(VisibleText text, NameMatch match)
    {
        var group = _groupOfBlock[match.Block];
        return group >= 0 && _groups[group].IsProducts && IsHead(text, text.Blocks[match.Block], match.Start)
            ? _groups[group].Offset + _positionInGroup[match.Block]
            : null;
    }

    /// <summary>Whether a place lies in the first words of a block.</summary>
    public static bool IsHead(VisibleText text, Block block, int at)
    {
        if (at - block.Start > HeadCharacters)
            return false;
        var words = 0;
        var chars = text.Chars;
        for (var i = block.Start; i < at; i++)
        {
            if (chars[i] is '.' or '!' or '?' && i + 1 < at && chars[i + 1] == ' ')
                return false;
            if (chars[i] is ' ' && ++words > HeadWords)
                return false;
        }

        return true;
    }

    private void GroupBlocks(VisibleText text)
    {
        var lists = new List<Group>();
        var headings = new List<Group>();
        Group? paragraphs = null;
        Group? table = null;
        var tableId = -1;
        for (var b = 0; b < text.Blocks.Count; b++)
        {
            var block = text.Blocks[b];
            switch (block.Kind)
            {
                case BlockKind.Heading:
                    while (headings.Count > 0 && headings[^1].Level > block.Level)
                        headings.RemoveAt(headings.Count - 1);
                    lists.Clear();
                    paragraphs = null;
                    if (headings.Count == 0 || headings[^1].Level < block.Level)
                        headings.Add(NewGroup(block));
                    Join(headings[^1], b, block);
                    break;
                case BlockKind.ListItem:
                    while (lists.Count > 0 && lists[^1].Level > block.Level + 1)
                        lists.RemoveAt(lists.Count - 1);
                    // A list that starts again at 1 is another list.
                    if (lists.Count > 0 && lists[^1].Level >= block.Level - 1 && block.Ordinal is > 0 && lists[^1].Ordered && block.Ordinal <= lists[^1].LastOrdinal)
                        lists.RemoveAt(lists.Count - 1);
                    if (lists.Count == 0 || lists[^1].Level < block.Level - 1 || lists[^1].Ordered != block.Ordinal > 0)
                        lists.Add(NewGroup(block));
                    Join(lists[^1], b, block);
                    break;
                case BlockKind.Cell:
                    if (block.Table != tableId)
                        (table, tableId) = (NewGroup(block), block.Table);
                    if (block.Column == 0 && block.Row > 0)
                        Join(table!, b, block);
                    break;
                case BlockKind.Paragraph when (text.Styles[block.Start] & Style.Bold) != Style.None:
                    paragraphs ??= NewGroup(block);
                    Join(paragraphs, b, block);
                    break;
                case BlockKind.Paragraph:
                    // Text between "1." and "2." keeps an ordered list together; it ends a list of bullets.
                    if (block.Level == 0)
                        lists.RemoveAll(list => !list.Ordered);
                    break;
            }
        }
    }

    private Group NewGroup(Block block)
    {
        var group = new Group { Level = block.Level, Ordered = block.Ordinal > 0, Index = _groups.Count };
        _groups.Add(group);
        return group;
    }

    private void Join(Group group, int index, Block block)
    {
        group.Count++;
        _groupOfBlock[index] = group.Index;
        _positionInGroup[index] = block.Ordinal > group.LastOrdinal && block.Ordinal <= group.Count + 1 ? block.Ordinal : group.Count;
        group.LastOrdinal = Math.Max(group.LastOrdinal, block.Ordinal);
        group.Count = Math.Max(group.Count, _positionInGroup[index]);
    }
}
