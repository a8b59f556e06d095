/* study.c — `coatcheck study`: what participants are asked. */
#include <stdio.h>

#include "cli/cli.h"
#include "cli/operator.h"

static void tell_created(struct json answer)
{
    static const struct operator_line lines[] = {{"study", "id"}, {"title", "title"}};
    struct json questions = json_member(answer, "questions");
    size_t i;

    operator_lines(answer, lines, 2);
    for (i = 0; i < json_count(questions); i++) {
        static const struct operator_line question[] = {{"question", "text"}};
        operator_lines(json_item(questions, i), question, 1);
    }
}

static void tell_list(struct json answer)
{
    static const struct operator_column columns[] = {
        {"STUDY", "id", NULL}, {"QUESTIONS", "questions", NULL}, {"TITLE", "title", NULL}};

    operator_table(answer, "studies", columns, 3,
                   "the project has no study yet: coatcheck study create TITLE --question TEXT");
}

static const struct operator_verb verbs[] = {
    {"create",
     OPERATION_STUDY_CREATE,
     "TITLE --question TEXT... --project ID",
     {OPERAND_TITLE},
     1,
     1,
     TAKES(OPERAND_PROJECT) | TAKES_QUESTIONS,
     NULL,
     NULL,
     tell_created},
    {"list",
     OPERATION_STUDY_LIST,
     "--project ID",
     {0},
     0,
     0,
     TAKES(OPERAND_PROJECT) | TAKES(OPERAND_AFTER),
     NULL,
     NULL,
     tell_list},
};
static const struct operator_noun study = {"study",
                                           "A study is a title and up to 20 questions, in the order given.\n",
                                           verbs, sizeof verbs / sizeof verbs[0]};

int cli_study(int argc, char **argv)
{
    return operator_main(&study, argc, argv);
}
